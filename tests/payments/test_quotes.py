from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from candidates.models import Cohort, PolicyText, Registration, User
from icg_cert.audit.models import Event
from icg_cert.lib.money import Money
from icg_cert.lib.words import day_of
from icg_cert.mail.models import Message
from payments import acceptance, quotes
from payments.models import Quote, Vendor
from payments.quotes import Wanted
from tests.factories import MICROSECOND, at, make_cohort, make_programme, make_vendor
from tests.payments.conftest import NOW
from tests.payments.test_attempts import refusal_of
from tests.threads import run_at_once

WANTED = Wanted("Lakeside School District", "Connie Contact", "connie@example.org", 3)
Ask = Callable[..., Quote]


@pytest.fixture
def cohort(db: None) -> Cohort:
    make_programme()
    make_vendor()
    return make_cohort()


def make(when: Any = NOW, **changes: Any) -> Quote:
    return quotes.make(replace(WANTED, **changes), at=when)


@pytest.fixture
def ask(unpaid: Registration, policy: PolicyText) -> Ask:
    """Ada asks for a quote, having accepted the policy."""

    def press(when: Any = NOW, by: Any = None, **changes: Any) -> Quote:
        acceptance.accept_for(unpaid.pk, policy.pk, by=unpaid.user, at=when)
        return quotes.make_for(unpaid.pk, replace(WANTED, **changes), by=by or unpaid.user, at=when)

    return press


def test_make_freezes_what_was_asked_and_sends_the_link(cohort: Cohort) -> None:
    quote = make(payer_name="  Lakeside  School District ")
    assert (quote.number, quote.payer_name, quote.seats, quote.price, quote.money) == (
        "Q-2026-0001", "Lakeside School District", 3, Money(40000), Money(120000),
    )  # fmt: skip
    assert (quote.cohort, quote.registration, quote.requested_by, quote.requested_at) == (cohort, None, None, NOW)
    with quote.document.open() as file:
        assert file.read(5) == b"%PDF-"
    message = Message.objects.get()
    assert (message.event, message.to, message.user) == ("quote_made", "connie@example.org", None)
    assert f"http://localhost:8000{quotes.path(quote)}" in message.body_text
    assert list(Event.objects.about(quote).values_list("verb", "actor", "after")) == [
        ("quote.make", None, {"number": "Q-2026-0001", "seats": 3})
    ]


def test_make_takes_the_cohort_s_fee_of_that_day(cohort: Cohort) -> None:
    quote = make()
    Cohort.objects.update(fee_minor=50000)
    quote.refresh_from_db()
    assert (quote.price, make(seats=4).price) == (Money(40000), Money(50000))


@pytest.mark.parametrize(
    ("when", "until"),
    [
        (at(2026, 11, 2, 9), at(2027, 1, 2)),
        (at(2026, 12, 2) - MICROSECOND, at(2027, 1, 31)),
        (at(2026, 12, 2), at(2027, 2, 1)),
        (at(2026, 12, 3), at(2027, 2, 1)),
        (at(2027, 1, 31, 23), at(2027, 2, 1)),
    ],
)
def test_make_holds_for_so_many_whole_days_and_never_past_closing(cohort: Cohort, when: Any, until: Any) -> None:
    Vendor.objects.update(quote_days=60)
    quote = make(when)
    assert (quote.valid_until, quote.content["valid_until"]) == (until, day_of(until - MICROSECOND))


def test_make_holds_until_closing_unless_the_vendor_says_otherwise(cohort: Cohort) -> None:
    """The price of a cohort does not change, so one deadline is enough."""
    assert make(cohort.registration_opens_at).valid_until == cohort.registration_closes_at


@pytest.mark.parametrize(
    ("when", "code"),
    [(at(2026, 10, 1), ""), (at(2027, 2, 1) - MICROSECOND, ""), (at(2027, 2, 1), "window-closed")],
)
def test_make_is_possible_until_registration_closes(cohort: Cohort, when: Any, code: str) -> None:
    assert refusal_of(lambda: make(when)) == code


def test_make_without_any_cohort_is_refused(db: None) -> None:
    assert refusal_of(make) == "window-closed"


@pytest.mark.parametrize(
    ("later", "changes", "is_same", "letters"),
    [
        (timedelta(0), {}, True, 1),
        (timedelta(minutes=1) - MICROSECOND, {}, True, 1),
        (timedelta(minutes=1), {}, True, 2),
        (timedelta(minutes=10) - MICROSECOND, {}, True, 2),
        (timedelta(minutes=10), {}, False, 2),
        (timedelta(0), {"payer_name": "LAKESIDE school  district"}, True, 1),
        (timedelta(0), {"contact_email": "Connie@Example.org"}, True, 1),
        (timedelta(0), {"seats": 4}, False, 2),
        (timedelta(0), {"contact_email": "other@example.org"}, False, 2),
    ],
)
def test_make_again_within_minutes_is_the_same_quote(
    cohort: Cohort, later: timedelta, changes: dict[str, Any], is_same: bool, letters: int
) -> None:
    first, second = make(), make(NOW + later, **changes)
    assert ((first == second), Message.objects.count()) == (is_same, letters)


@pytest.mark.django_db(transaction=True)
def test_make_from_two_windows_at_once_is_one_quote(cohort: Cohort) -> None:
    assert len({quote.pk for quote in run_at_once(make, times=4)}) == 1
    assert [Quote.objects.count(), Message.objects.count()] == [1, 1]


def test_make_finds_the_one_of_who_came_a_moment_later_and_was_let_in_first(cohort: Cohort) -> None:
    quotes_made = {quotes.make(WANTED, at=when).pk for when in (NOW, NOW - timedelta(milliseconds=1))}
    assert (len(quotes_made), Message.objects.count()) == (1, 1)


def test_make_for_a_candidate_takes_their_own_fee(ask: Ask, unpaid: Registration) -> None:
    Cohort.objects.update(fee_minor=50000)
    quote = ask(seats=1)
    assert (quote.registration, quote.requested_by, quote.money) == (unpaid, unpaid.user, Money(40000))
    assert quote.content["lines"][0]["coach"] == unpaid.user.name


def test_make_for_is_the_owners_and_needs_a_fee_that_is_owed(
    ask: Ask, unpaid: Registration, stranger: User, policy: PolicyText
) -> None:
    assert refusal_of(lambda: ask(by=stranger)) == "not-yours"
    for changes in ({"status": "withdrawn"}, {"payment_status": "paid"}, {"payment_status": "po_committed"}):
        Registration.objects.filter(pk=unpaid.pk).update(**{"status": "registered", **changes})
        assert refusal_of(ask) == "nothing-owed"


def test_make_for_needs_the_no_refund_policy_accepted(unpaid: Registration) -> None:
    asked = lambda: quotes.make_for(unpaid.pk, WANTED, by=unpaid.user, at=NOW)  # noqa: E731
    assert refusal_of(asked) == "not-accepted"


@pytest.mark.parametrize(
    ("edge", "after", "code"),
    [
        ("opens_at", -MICROSECOND, "window-not-open"),
        ("opens_at", timedelta(0), ""),
        ("closes_at", -MICROSECOND, ""),
        ("closes_at", timedelta(0), "window-closed"),
    ],
)
def test_make_for_keeps_to_the_window(ask: Ask, unpaid: Registration, edge: str, after: timedelta, code: str) -> None:
    assert refusal_of(lambda: ask(getattr(unpaid.cohort.window, edge) + after)) == code


@pytest.mark.payment_case(26)
def test_opened_takes_the_token_of_that_quote_alone(cohort: Cohort, settings: Any) -> None:
    quote, other = make(), make(seats=4)
    token, others = quotes.link(quote)["token"], quotes.link(other)["token"]
    assert quotes.opened(quote.public_id, token) == quote
    for public_id, forged in [
        (quote.public_id, others), (quote.public_id, token[:-1]), (quote.public_id, f"{token}A"),
        (quote.public_id, "é"), (quote.public_id, ""), (other.public_id, token), (uuid4(), token),
    ]:  # fmt: skip
        with pytest.raises(Quote.DoesNotExist):
            quotes.opened(public_id, forged)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "a new key"
    assert quotes.opened(quote.public_id, token) == quote


def test_quotes_are_visible_to_who_asked_and_the_office(
    ask: Ask, unpaid: Registration, stranger: User, scorer: User, staff: User, finance: User
) -> None:
    ask()
    people = (unpaid.user, stranger, scorer, staff, finance)
    assert [Quote.objects.visible_to(person).count() for person in people] == [1, 0, 0, 1, 1]
