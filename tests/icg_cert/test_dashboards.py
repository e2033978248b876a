"""What the dashboard shows each role, composed from the apps' rows."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import Group
from django.test import Client
from pytest_django import Settings

from candidates.models import Registration, User
from icg_cert import dashboards, waiting
from icg_cert.candidacy import Candidacy
from icg_cert.dashboards import Panel, panels
from icg_cert.lib import clock
from icg_cert.mail.models import Message
from payments.models import Delivery, Dispute, Reconciliation, Refund
from payments.overview import KINDS
from portfolios import consents
from portfolios.models import Entry, Upload
from scoring.models import Assignment, Release
from tests.factories import (
    MICROSECOND,
    at,
    make_attempt,
    make_cohort,
    make_cycle,
    make_entry,
    make_factor,
    make_ledger_entry,
    make_locked,
    make_policy,
    make_programme,
    make_reading,
    make_registration,
    make_release,
    make_requirement,
    make_upload,
    make_user,
)

pytestmark = pytest.mark.django_db

SPRING = at(2027, 5, 10, 12)
SUMMER = at(2027, 7, 1)


def _templates(user: User, now: datetime = SPRING) -> list[str]:
    return [panel.template for panel in panels(Candidacy(user, now))]


def _rows(user: User, now: datetime = SPRING) -> dict[str, Any]:
    [panel] = panels(Candidacy(user, now))
    return panel.rows


def _page(client: Client, user: User, now: datetime = SPRING) -> BeautifulSoup:
    clock.jump_to(now)
    client.force_login(user)
    return BeautifulSoup(client.get("/dashboard/").content, "html.parser")


def test_panels_by_role(candidate: User, scorer: User, lead: User, staff: User, finance: User) -> None:
    found = {user.get_short_name(): _templates(user) for user in (candidate, scorer, lead, staff, finance)}
    assert found == {
        "Ada": ["_dashboard_newcomer.html"],
        "Sol": ["_dashboard_scorer.html"],
        "Lee": ["_dashboard_scorer.html"],
        "Stef": ["_dashboard_waiting.html"],
        "Fay": ["_dashboard_waiting.html"],
    }


@pytest.mark.parametrize(
    ("status", "headings"),
    [
        ("registered", ["Entries for 2027", "Results", "Your three years", "Cohort 10"]),
        ("refused", ["Cohort 10"]),
        ("lapsed", ["Cohort 10"]),
    ],
)
def test_dashboard_promises_nothing_more_once_the_registration_has_ended(
    client: Client, candidate: User, status: str, headings: list[str]
) -> None:
    make_programme()
    make_cycle(2027)
    make_registration(candidate, status=status)
    page = _page(client, candidate)
    assert [heading.get_text() for heading in page.select(".content h2")] == headings
    assert ("has ended" in page.select_one(".content").get_text()) is (status != "registered")


def test_panels_of_several_roles_stand_together(staff: User) -> None:
    staff.groups.add(Group.objects.get_or_create(name="scorer")[0])
    make_registration(staff)
    assert _templates(staff) == ["_dashboard_waiting.html", "_dashboard_scorer.html", "_dashboard_candidate.html"]


def test_dashboard_leads_who_is_not_registered_to_register(client: Client, candidate: User) -> None:
    make_programme()
    make_cohort()
    button = _page(client, candidate, at(2026, 11, 20)).select_one(".button.primary")
    assert (button.get_text(), button["href"]) == ("Register", "/register/")


def test_dashboard_between_windows_says_when_the_next_one_opens(client: Client, candidate: User) -> None:
    make_programme()
    make_cohort()
    words = " ".join(_page(client, candidate, at(2027, 3, 1)).get_text(" ").split())
    assert "The next registration opens on 1 November 2027" in words


def test_candidate_sees_the_newest_registration_and_a_way_to_the_earlier(candidate: User) -> None:
    earlier, newest = (make_registration(candidate, make_cohort(year)) for year in (2024, 2026))
    rows = _rows(candidate)
    assert (rows["registration"], rows["earlier"]) == (newest, [earlier])


def test_candidate_sees_the_entries_of_this_cycle_alone(candidate: User) -> None:
    registration = make_registration(candidate, make_cohort(2025))
    for year in (2026, 2027, 2028):
        make_cycle(year)
    make_entry(registration, make_factor(1), make_cycle(2026), status=Entry.Status.LOCKED)
    draft = make_entry(registration, make_factor(2), make_cycle(2027))
    rows = _rows(candidate)
    assert rows["cycle"] == make_cycle(2027)
    assert rows["entries"] == [
        {"name": "2. Factor 2", "state_word": "Draft", "state_kind": "warn", "url": f"/entries/{draft.pk}/"}
    ]


def test_every_status_has_its_shape() -> None:
    assert set(KINDS) == set(Registration.Payment)
    assert set(dashboards.ENTRY_KIND) == set(Entry.Status)


def test_scorer_sees_progress_by_cycle(scorer: User, other_scorer: User) -> None:
    registration = make_registration(cohort=make_cohort(2025))
    old, new = make_cycle(2026), make_cycle(2027)
    make_reading(make_locked(registration, 1, cycle=old), scorer, "3.00", "3.00", "3.00")
    make_reading(make_locked(registration, 2, cycle=new), scorer)
    begun = make_reading(make_locked(registration, 3, cycle=new), scorer)
    begun.saved_at = SUMMER
    begun.save(update_fields=["saved_at"])
    make_reading(make_locked(registration, 4, cycle=new), other_scorer)
    assert panels(Candidacy(scorer, SUMMER)) == [
        Panel(
            "_dashboard_scorer.html",
            {
                "cycles": [
                    {"year": 2027, "total": 2, "to_do": 1, "begun": 1, "done": 0},
                    {"year": 2026, "total": 1, "to_do": 0, "begun": 0, "done": 1},
                ]
            },
        )
    ]


def _waiting(lines: list[waiting.Waiting]) -> dict[str, int]:
    return {line.name: line.count for line in lines}


@pytest.fixture(autouse=True)
def connected(settings: Settings) -> None:
    settings.STRIPE_SECRET_KEY = settings.PAYPAL_CLIENT_ID = "sk_test_words"


def for_staff() -> list[waiting.Waiting]:
    return waiting.for_staff(make_user(), SUMMER)


def for_finance() -> list[waiting.Waiting]:
    return waiting.for_finance(make_user(), SUMMER)


def test_nothing_waits_in_an_empty_portal() -> None:
    assert for_staff() == []
    assert for_finance() == []


def test_evidence_waits_for_staff() -> None:
    make_registration(status=Registration.Status.EVIDENCE_RECEIVED)
    make_registration(status=Registration.Status.EVIDENCE_REQUESTED)
    assert _waiting(for_staff()) == {"Evidence to read": 1}


def test_entries_nobody_reads_wait_until_they_are_given_out(scorer: User) -> None:
    make_entry()  # a draft is nobody's yet
    make_locked(make_registration(status=Registration.Status.WITHDRAWN))  # and of who withdrew nothing is read
    entry = make_locked(make_registration())
    assert _waiting(for_staff()) == {"Entries nobody reads yet": 1}
    make_reading(entry, scorer)
    assert _waiting(for_staff()) == {}


def test_a_prepared_release_waits_for_another() -> None:
    release = make_release(state=Release.State.PREPARED)
    assert _waiting(for_staff()) == {"Releases to approve": 1}
    release.delete()
    make_release()
    assert _waiting(for_staff()) == {}


@pytest.mark.parametrize(("minutes", "names"), [(59, {}), (60, {"Left out of a release": 2})])
def test_who_is_not_told_an_hour_after_the_instant_waits_for_staff(minutes: int, names: dict[str, int]) -> None:
    decision = make_release()
    for _ in range(2):
        make_registration()
    now = decision.releases_at + timedelta(minutes=minutes)
    assert _waiting(waiting.for_staff(make_user(), now)) == names


@pytest.mark.parametrize(
    ("now", "names"),
    [
        (at(2027, 10, 31, 8, 59), {}),
        (at(2027, 10, 31, 9), {"Releases overdue": 1}),
    ],
)
def test_a_release_nobody_prepared_is_overdue_from_its_instant(
    scorer: User, other_scorer: User, now: datetime, names: dict[str, int]
) -> None:
    registration = make_registration()
    make_reading(make_locked(registration, 1), scorer)
    make_reading(make_locked(registration, 2), other_scorer)
    assert _waiting(waiting.for_staff(make_user(), now)) == names


@pytest.mark.parametrize(
    ("now", "names"),
    [
        (at(2027, 3, 1), {}),
        (at(2027, 3, 3), {"Directions to write": 1}),
        (at(2027, 6, 16), {}),
    ],
)
def test_directions_are_to_be_written_in_time(now: datetime, names: dict[str, int]) -> None:
    make_cycle(2027)
    make_cycle(2026, directions="Written.")
    assert _waiting(waiting.for_staff(make_user(), now)) == names


def test_breakdowns_wait_for_staff() -> None:
    make_upload(state=Upload.State.FAILED)
    Message.objects.create(
        key="dead", event="x", to="x@example.org", state=Message.State.DEAD, queued_at=SUMMER, next_try_at=SUMMER
    )
    assert _waiting(for_staff()) == {"Files we could not check": 1, "E-mails given up": 1}


def test_file_that_no_check_has_come_to_waits_for_staff_after_an_hour() -> None:
    make_upload(state=Upload.State.STORED, stored_at=SUMMER)
    hour = SUMMER + Upload.CHECK_WAITS_AT_MOST
    assert _waiting(waiting.for_staff(make_user(), hour - MICROSECOND)) == {}
    assert _waiting(waiting.for_staff(make_user(), hour)) == {"Files we could not check": 1}


def test_money_waits_for_finance() -> None:
    for payment in Registration.Payment:
        make_registration(payment_status=payment)
    make_registration(payment_status=Registration.Payment.PO_COMMITTED, status=Registration.Status.WITHDRAWN)
    assert _waiting(for_finance()) == {"Seats held without money yet": 1, "Paid in part": 1, "Paid too much": 1}


def test_what_providers_told_waits_for_finance() -> None:
    attempt = make_attempt(make_registration(payment_status="disputed"))
    nobodys = make_ledger_entry(None)
    fact: dict[str, Any] = {"provider": "stripe", "amount_minor": 40000, "currency": "USD", "opened_at": SUMMER}
    for number, standing in enumerate(Dispute.Standing):
        Dispute.objects.create(attempt=attempt, ref=f"d{number}", standing=standing, **fact)
    for number, state in enumerate(Delivery.State):
        Delivery.objects.create(
            provider="stripe", event_id=number, type="x", body=b"", received_at=SUMMER, next_try_at=SUMMER, state=state
        )
    Reconciliation.objects.create(started_at=SUMMER, finished_at=SUMMER, since=SUMMER, drift=3)
    fay = make_user("Fay Finch", "finance")
    asked: dict[str, Any] = {"amount_minor": 1, "currency": "USD", "reason": "x", "requested_at": SUMMER}
    Refund.objects.create(entry=nobodys, requested_by=fay, **asked)
    lines = {"Money of nobody": 1, "Disputed": 1, "Webhooks given up": 1, "Books that do not agree": 3}
    words = [line.state_word for line in waiting.for_finance(fay, SUMMER)]
    assert words == ["1 waiting", "1 waiting", "1 waiting", "3 differences"]
    assert _waiting(waiting.for_finance(fay, SUMMER)) == lines  # nobody approves what they asked for
    assert _waiting(for_finance()) == {**lines, "Refunds to approve": 1}
    assert _waiting(for_staff()) == {"Refunds to approve": 1}


def test_a_way_to_pay_without_keys_is_said_to_the_office(settings: Settings) -> None:
    settings.STRIPE_SECRET_KEY = ""
    assert _waiting(for_staff()) == _waiting(for_finance()) == {"Card payments are off": 1}
    settings.PAYPAL_CLIENT_ID = ""
    assert [line.name for line in for_staff()] == ["Card payments are off", "PayPal payments are off"]


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (None, ""),
        (9, " The first is due on 10 July 2027."),
        (0, " The first was due on 1 July 2027."),
    ],
)
def test_disputes_say_until_when_they_are_answered(days: int | None, said: str) -> None:
    fact: dict[str, Any] = {"provider": "stripe", "amount_minor": 40000, "currency": "USD", "opened_at": SUMMER}
    fact |= {"attempt": make_attempt(make_registration()), "standing": "open"}
    for ref, more in (("a", 0), ("b", 1)):
        until = None if days is None else SUMMER + timedelta(days=days + more)
        Dispute.objects.create(ref=ref, answer_by=until, **fact)
    line = for_finance()[0]
    assert line.sentence == f"A payer's bank questions a payment. Answer in the provider's own pages.{said}"


@pytest.mark.parametrize(
    ("started", "finished", "opened", "said"),
    [
        (timedelta(days=2), timedelta(days=1) - MICROSECOND, timedelta(days=9), []),
        (timedelta(days=2), timedelta(days=1), timedelta(0), ["since 30 June 2027"]),
        (timedelta(hours=1), None, timedelta(days=1), ["yet"]),
        (timedelta(hours=1), None, timedelta(days=1) - MICROSECOND, []),
    ],
)
def test_books_that_nobody_compares_are_said(
    started: timedelta, finished: timedelta | None, opened: timedelta, said: list[str]
) -> None:
    make_attempt(make_registration(), opened_at=SUMMER - opened)
    ended = None if finished is None else SUMMER - finished
    Reconciliation.objects.create(started_at=SUMMER - started, finished_at=ended, since=SUMMER)
    lines = for_finance()
    assert _waiting(lines) == dict.fromkeys(["Books not compared"][: len(said)], 1)
    assert all(f"and were not {said[0]}." in line.sentence for line in lines)


def test_every_line_leads_to_a_page_that_shows_it(client: Client, staff: User) -> None:
    make_upload(state=Upload.State.FAILED)
    make_registration(status=Registration.Status.EVIDENCE_RECEIVED)
    make_locked(make_registration())
    make_policy()
    staff.is_superuser = True
    staff.save()
    links = [link["href"] for link in _page(client, staff, SUMMER).select(".task-action")]
    assert len(links) == 3
    assert [client.get(link).status_code for link in links] == [200, 200, 200]


def test_films_withdrawn_after_closing_wait_for_staff_until_the_release() -> None:
    make_policy()
    entry = make_locked()
    make_reading(entry, make_user())
    video = make_requirement(entry.factor, "conversation", kind="video")
    for taken_back_at in (entry.created_at, SUMMER):  # the first gave its place to another
        film = make_upload(entry, video)
        consents.withdraw(film.pk, by=film.owner, at=taken_back_at)
    make_upload(entry, video)
    assert _waiting(for_staff()) == {"Videos withdrawn after closing": 1}
    make_release(entry.cycle, "released")
    assert _waiting(for_staff()) == {}


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("person", "queries"), [("candidate", 9), ("scorer", 7), ("staff", 18)])
def test_dashboard_queries_do_not_grow(
    client: Client,
    scorer: User,
    candidate: User,
    staff: User,
    django_assert_num_queries: Any,
    person: str,
    queries: int,
    count: int,
) -> None:
    registration = make_registration(candidate)
    for year in (2027, 2028, 2029):
        make_cycle(year)
    for number in range(1, count + 1):
        entry = make_locked(make_registration(), number)
        make_reading(entry, scorer, role=Assignment.Role.FIRST)
        make_entry(registration, make_factor(number))
        make_user()
    clock.jump_to(SPRING)
    client.force_login({"candidate": candidate, "scorer": scorer, "staff": staff}[person])
    client.get("/dashboard/")  # reads what is kept in memory
    with django_assert_num_queries(queries):
        client.get("/dashboard/")
