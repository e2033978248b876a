"""Cohort 2026 from registration to the final notice: Ada, Ben, Cy and Dee.

Ada is certified in year 1, one of her factors by a lead scorer. Ben hands in two entries in year 1, the rest in year 2,
retakes one in year 3 and is certified. Cy ends not certified. Dee's district pays by purchase order, and late.
"""

from datetime import date, timedelta

from candidates.models import Cycle, Registration
from payments import purchase_orders
from portfolios.models import Entry
from scoring.models import Certificate, FactorScore
from tests.factories import MICROSECOND, at
from tests.journeys import walk
from tests.journeys.walk import Cast

ALL = range(1, 8)


def outcomes(made: Registration) -> list[tuple[int, int, str, str]]:
    rows = Entry.objects.filter(registration=made).order_by("cycle__year", "factor__number")
    return list(rows.values_list("cycle__year", "factor__number", "status", "outcome"))


def test_three_years_of_a_cohort(cast: Cast) -> None:
    # Autumn 2026: four register; three pay by card, Dee's district sends a purchase order.
    ada, ben, cy, dee = (
        walk.register(name, at(2026, 11, 2, 9)) for name in ("Ada Abara", "Ben Borges", "Cy Chen", "Dee Diaz")
    )
    for made in (ada, ben, cy):
        walk.pay(made, at(2026, 11, 2, 10))
    order = walk.order(dee, at(2027, 1, 12, 10))
    purchase_orders.accept(order, by=cast.staff, at=at(2027, 1, 14, 9))
    walk.tick(at(2027, 2, 1))
    states = Registration.objects.order_by("user__email").values_list("status", "payment_status")
    assert list(states) == [("registered", "paid")] * 3 + [("registered", "po_committed")]

    # Year 1: Ada, Cy and Dee hand in everything, Ben two entries.
    for made, factors in ((ada, ALL), (ben, [1, 2]), (cy, ALL), (dee, ALL)):
        walk.hand_in(made, 2027, factors, cast, at(2027, 5, 10, 18))
    walk.tick(at(2027, 6, 16))
    year_1: dict[tuple[object, int], tuple[str, ...]] = {(ada.user, number): ("3.00",) for number in ALL}
    year_1[ada.user, 4] = ("2.00", "4.00", "3.25")
    year_1 |= {(ben.user, number): ("3.25",) for number in (1, 2)}
    year_1 |= {(cy.user, number): ("2.00",) for number in ALL}
    year_1 |= {(dee.user, number): ("2.75",) for number in ALL}
    walk.score(2027, year_1, cast, at(2027, 7, 5, 10))
    walk.release_results(2027, cast)

    release_day = Cycle.objects.get(year=2027).releases_at
    after = release_day + timedelta(minutes=1)  # the job runs at the instant and takes its moment
    assert [walk.told(made, release_day - MICROSECOND) for made in (ada, ben, cy, dee)] == [[], [], [], []]
    assert walk.told(ada, after) == [(2027, "certified", "85/4")]
    assert walk.told(ben, after) == [(2027, "in_progress", "13/2")]
    assert walk.told(cy, after) == [(2027, "not_yet", "14")]
    assert walk.told(dee, after) == []  # withheld: the seat is held, the money has not come
    fourth = FactorScore.objects.get(entry__registration=ada, entry__factor__number=4)
    assert (str(fourth.score), fourth.how) == ("13/4", "adjudicated")

    # Dee's district pays in November; her result appears, and her certificate with it.
    walk.remit(order, cast, date(2027, 11, 8), at(2027, 11, 9, 9))
    walk.tick(at(2027, 11, 9, 9, 1))
    assert walk.told(dee, at(2027, 11, 9, 9, 1)) == [(2027, "certified", "77/4")]

    # Year 2: Ben hands in the rest; factor 5 falls short. Nobody else has anything to do.
    walk.hand_in(ben, 2028, [3, 4, 5, 6, 7], cast, at(2028, 5, 20, 20))
    walk.tick(at(2028, 6, 16))
    year_2 = {(ben.user, number): ("3.00",) for number in (3, 4, 6, 7)} | {(ben.user, 5): ("1.25",)}
    walk.score(2028, year_2, cast, at(2028, 7, 3, 10))
    walk.release_results(2028, cast)
    assert walk.told(ben, at(2028, 11, 1))[1:] == [(2028, "not_yet", "79/4")]

    # Year 3: Ben retakes factor 5; Cy retakes two of seven, one of them worse, and starts one that he never completes.
    walk.hand_in(ben, 2029, [5], cast, at(2029, 5, 2, 7))
    walk.hand_in(cy, 2029, [1, 2], cast, at(2029, 6, 15, 23))
    walk.submission.start(
        cy.pk,
        Entry.objects.get(registration=cy, factor__number=3).factor_id,
        Cycle.objects.get(year=2029).pk,
        by=cy.user,
        at=at(2029, 6, 15, 23, 50),
    )
    walk.tick(at(2029, 6, 16, 1))
    year_3 = {(ben.user, 5): ("3.00",), (cy.user, 1): ("3.00",), (cy.user, 2): ("1.75",)}
    walk.score(2029, year_3, cast, at(2029, 7, 2, 10))
    walk.release_results(2029, cast)

    end = at(2029, 11, 1)
    assert walk.told(ada, end) == [(2027, "certified", "85/4")]
    assert walk.told(ben, end) == [
        (2027, "in_progress", "13/2"),
        (2028, "not_yet", "79/4"),
        (2029, "certified", "43/2"),
    ]
    assert walk.told(cy, end) == [(2027, "not_yet", "14"), (2028, "not_yet", "14"), (2029, "not_certified", "15")]
    assert walk.told(dee, end) == [(2027, "certified", "77/4")]
    assert outcomes(ben) == [
        *[(2027, number, "locked", "banked") for number in (1, 2)],
        *[(2028, number, "locked", "fell_short" if number == 5 else "banked") for number in (3, 4, 5, 6, 7)],
        (2029, 5, "locked", "banked"),
    ]
    assert outcomes(cy) == [
        *[(2027, number, "locked", "fell_short") for number in ALL],
        (2029, 1, "locked", "banked"),
        (2029, 2, "locked", "fell_short"),
        (2029, 3, "lapsed", ""),
    ]
    holders = Certificate.objects.order_by("holder_name").values_list("holder_name", "issued_at__date", "revoked_at")
    assert list(holders) == [
        ("Ada Abara", date(2027, 10, 31), None),
        ("Ben Borges", date(2029, 10, 31), None),
        ("Dee Diaz", date(2027, 11, 9), None),  # the day her fee was settled
    ]
    paid, told = ["registered", "payment_received"], "results_released"
    assert walk.mails(ada) == [*paid, *["receipt"] * 7, "certified", told]
    assert walk.mails(ben) == [
        *[*paid, *["receipt"] * 2, told],
        *["reminder_entries", *["receipt"] * 5, told],
        *["receipt", "certified", told],
    ]
    assert walk.mails(cy) == [
        *[*paid, *["receipt"] * 7, told],
        told,
        *["reminder_entries", *["receipt"] * 2, "lapsed", told],
    ]
    assert walk.mails(dee) == [
        *["registered", "purchase_order_submitted", "purchase_order_accepted"],
        *[*["receipt"] * 7, "results_withheld", "purchase_order_paid", "certified", told],
    ]
