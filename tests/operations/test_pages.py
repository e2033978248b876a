"""What monitors are told, and the page for staff."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from candidates.models import User
from icg_cert import reporting, waiting
from icg_cert.celery import JOBS
from icg_cert.lib import clock
from icg_cert.operations.models import Job
from tests.factories import make_user

pytestmark = pytest.mark.django_db

SEND = "icg_cert.mail.tasks.send_outbox"
READY = {"database": "ok", "broker": "ok", "store": "ok", "jobs": "ok"}


def stop(name: str, ago: timedelta) -> None:
    Job.objects.filter(name=name).update(ended_at=clock.wall() - ago)


@pytest.fixture
def ticked() -> None:
    call_command("tick")


def test_portal_is_ready_while_its_parts_answer(client: Client, ticked: None) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, READY)
    assert answer["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


def test_portal_is_not_ready_before_a_job_has_run(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {**READY, "jobs": "none has run yet"})


def test_portal_names_the_jobs_that_are_late(client: Client, ticked: None) -> None:
    stop(SEND, timedelta(minutes=16))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {**READY, "jobs": f"late: {SEND}"})


def test_portal_names_the_parts_that_do_not_answer(client: Client, ticked: None, settings: Any) -> None:
    """Nothing listens on port 1; the message of the error, which may hold a password, is not told."""
    settings.S3_BUCKET, settings.S3_ENDPOINT_URL = "none", "http://127.0.0.1:1"
    settings.S3_ACCESS_KEY = settings.S3_SECRET_KEY = "none"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {**READY, "store": "does not answer (Unavailable)"})


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer wrong", "Bearer secret-"])
def test_numbers_are_for_whoever_has_the_token(client: Client, settings: Any, header: str) -> None:
    settings.METRICS_TOKEN = "secret"
    assert client.get("/metrics", headers={"Authorization": header}).status_code == 404


def test_there_are_no_numbers_without_a_token(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_numbers_in_the_format_of_prometheus(client: Client, settings: Any, ticked: None) -> None:
    settings.METRICS_TOKEN = "secret"
    Job.objects.exclude(name=SEND).delete()
    Job.objects.filter(name=SEND).update(failures=2, failed_at=clock.wall())
    answer = client.get("/metrics", headers={"Authorization": "Bearer secret"})
    lines = answer.content.decode().splitlines()
    assert answer.status_code == 200
    assert 'icg_mail_messages{state="queued"} 0.0' in lines
    assert 'icg_registrations{status="registered"} 0.0' in lines
    assert f'icg_job_failures{{job="{SEND}"}} 2.0' in lines
    assert sum(line.startswith("icg_job_age_seconds{") for line in lines) == 1


def test_page_of_jobs_says_each_in_words(client: Client, staff: User, ticked: None) -> None:
    client.force_login(staff)
    stop(SEND, timedelta(minutes=75))
    Job.objects.filter(name="portfolios.tasks.purge_media").update(failures=1, failed_at=clock.wall(), error="DiskFull")
    page = client.get("/operations/").content.decode()
    rows = {words: page.partition(f">{words}</th>")[2].partition("</tr>")[0] for words in JOBS.values()}
    assert ("Late" in rows["Sends mail"], "1 hour 15 minutes ago" in rows["Sends mail"]) == (True, True)
    assert ("Tries again" in rows["Deletes files whose time is over"], "1, DiskFull" in page) == (True, True)
    assert "Runs" in rows["Checks files that arrived"]
    assert "Something stands still" in page


def test_page_of_jobs_before_any_has_run(client: Client, staff: User) -> None:
    client.force_login(staff)
    page = client.get("/operations/").content.decode()
    assert (page.count("Not yet"), "Something stands still" in page) == (len(JOBS), False)


def test_page_of_jobs_asks_as_much_with_rows_as_without(
    client: Client, staff: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(staff)
    client.get("/operations/")
    for _ in range(2):
        with django_assert_num_queries(12):
            client.get("/operations/")
        call_command("tick")


def test_dashboard_of_staff_counts_what_stands_still(ticked: None) -> None:
    stop(SEND, timedelta(minutes=16))
    lines = {line.name: line.count for line in waiting.for_staff(make_user(), clock.now())}
    assert lines["Jobs that stand still"] == 1


def test_report_of_an_error_holds_nobodys_data() -> None:
    event = {
        "user": {"email": "ada@example.org"},
        "extra": {"sys.argv": ["x"]},
        "transaction": "/quotes/{public_id}/{token}/",
        "request": {"method": "POST", "url": "https://x/quotes/1/key/", "headers": {"Cookie": "a"}, "data": {"b": "c"}},
        "exception": {
            "values": [
                {"type": "IntegrityError", "value": "duplicate key\nDETAIL:  Key (email)=(ada@example.org) exists."}
            ]
        },
    }
    assert reporting.bare(event, {}) == {
        "transaction": "/quotes/{public_id}/{token}/",
        "request": {"method": "POST"},
        "exception": {"values": [{"type": "IntegrityError", "value": "duplicate key\nDETAIL: (left out)"}]},
    }
