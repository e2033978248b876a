from datetime import date

import pytest
from django.db import transaction

from payments import numbers
from payments.models import NumberSeries
from tests.threads import run_at_once

pytestmark = pytest.mark.payment_case(72)
NEW_YEARS_EVE, NEW_YEAR = date(2026, 12, 31), date(2027, 1, 1)


@pytest.mark.django_db
def test_numbers_count_by_kind_and_year() -> None:
    asked = [("Q", NEW_YEARS_EVE), ("Q", NEW_YEARS_EVE), ("INV", NEW_YEARS_EVE), ("Q", NEW_YEAR), ("Q", NEW_YEARS_EVE)]
    given = [numbers.next_number(kind, on=on) for kind, on in asked]
    assert given == ["Q-2026-0001", "Q-2026-0002", "INV-2026-0001", "Q-2027-0001", "Q-2026-0003"]


@pytest.mark.django_db
def test_a_long_year_only_makes_numbers_longer() -> None:
    NumberSeries.objects.create(kind="Q", year=2026, last=9998)
    given = [numbers.next_number("Q", on=NEW_YEARS_EVE) for _ in range(3)]
    assert given == ["Q-2026-9999", "Q-2026-10000", "Q-2026-10001"]


@pytest.mark.django_db(transaction=True)
def test_a_number_outside_a_transaction_is_refused() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        numbers.next_number("INV", on=NEW_YEAR)


@pytest.mark.django_db
def test_a_number_is_given_back_with_what_it_was_for() -> None:
    numbers.next_number("INV", on=NEW_YEAR)
    with transaction.atomic():
        assert numbers.next_number("INV", on=NEW_YEAR) == "INV-2027-0002"
        transaction.set_rollback(True)
    assert numbers.next_number("INV", on=NEW_YEAR) == "INV-2027-0002"


@pytest.mark.django_db(transaction=True)
def test_sixteen_at_once_get_sixteen_numbers_without_a_gap() -> None:
    """The first of a year, when the counter does not exist yet; every fourth is rolled back."""
    turns = iter(range(16))

    def take() -> str | None:
        is_rolled_back = next(turns) % 4 == 3
        with transaction.atomic():
            number = numbers.next_number("INV", on=NEW_YEAR)
            transaction.set_rollback(is_rolled_back)
        return None if is_rolled_back else number

    given = run_at_once(take, times=16)
    assert sorted(filter(None, given)) == [f"INV-2027-{n:04}" for n in range(1, 13)]
    assert NumberSeries.objects.get().last == 12
