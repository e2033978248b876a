"""The page of the portal's jobs in Chromium, one of which stands still."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from candidates.models import User
from icg_cert.lib import clock
from icg_cert.operations.models import Job
from icg_cert.permissions import grant_roles
from tests.factories import at

pytestmark = [pytest.mark.requires("chromium"), pytest.mark.django_db(transaction=True)]


@pytest.fixture
def running(office: dict[str, User]) -> Iterator[dict[str, User]]:
    grant_roles()
    clock.jump_to(at(2027, 7, 1, 9))
    call_command("tick")
    yield office
    clock.reset()


def test_jobs_and_the_one_that_stands_still(arrive: Any, running: dict[str, User]) -> None:
    mail = Job.objects.filter(name="icg_cert.mail.tasks.send_outbox")
    mail.update(ended_at=clock.wall() - timedelta(minutes=80), failed_at=clock.wall(), failures=79, error="OSError")
    stef = arrive("stef")
    stef.sign_in(running["staff"])
    page = stef.page
    page.get_by_role("link", name="See the jobs").click()
    expect(page.get_by_role("row", name="Sends mail")).to_contain_text("1 hour 20 minutes ago")
    expect(page.get_by_role("row").nth(1)).to_contain_text("Sends mail")
    stef.look("jobs")
