import pytest

from candidates.tasks import remind_unpaid
from icg_cert.celery import JOBS
from icg_cert.lib import clock
from tests.factories import at, make_registration


@pytest.mark.django_db
def test_remind_unpaid_is_a_job_that_goes_by_the_clock() -> None:
    make_registration(payment_status="unpaid")
    clock.jump_to(at(2027, 1, 25, 0, 1))
    assert remind_unpaid.name in JOBS
    assert [remind_unpaid(), remind_unpaid()] == [1, 0]
