"""Candidates whose entries are read, and what their release needs, for the tests of the gate and the release."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from candidates.models import Cycle, Registration, User
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from scoring import release
from scoring.models import Assignment, Rating, Release, Sheet
from tests.factories import at, make_scored_entry, make_user

DUE = at(2027, 10, 31, 9)
BEFORE = at(2027, 10, 20, 9)
Readings = tuple[tuple[str, ...], ...]
TWICE: Readings = (("3.00",) * 3,) * 2


def seven(registration: Registration, *readings: Readings, year: int = 2027) -> Registration:
    """All seven factors handed in and read; those without readings of their own got 3.00 twice."""
    for number in range(1, 8):
        given = readings[number - 1] if number <= len(readings) else TWICE
        make_scored_entry(registration, number, *given, year=year)
    return registration


def approved(cycle: Cycle) -> Release:
    """Prepared by one and approved by another, a dry run and all, as staff do it."""
    one, other = make_user("", "staff"), make_user("", "staff")
    seen = release.prepare(cycle.pk, releases_at=cycle.releases_at, by=one, at=BEFORE).prepared_at
    return release.approve(cycle.pk, seen=seen, by=other, at=BEFORE + timedelta(hours=1))


def correct(registration: Registration, number: int = 1, role: str = "second", value: str = "4.00") -> Sheet:
    """Somebody changes the values of a final sheet, which no page lets them do."""
    sheet = reading(registration, number, role).sheet
    Rating.objects.filter(sheet=sheet).update(value=value)
    return sheet


def reading(registration: Registration, number: int = 1, role: str = "second") -> Assignment:
    return Assignment.objects.get(entry__registration=registration, entry__factor__number=number, role=role)


def take_away(one: Assignment) -> None:
    """As if the reading had never been."""
    Rating.objects.filter(sheet__assignment=one).delete()
    Sheet.objects.filter(assignment=one).delete()
    one.delete()


def mails(*users: User) -> list[tuple[str, str]]:
    sent = Message.objects.filter(user__in=users) if users else Message.objects.all()
    return list(sent.order_by("to", "event", "pk").values_list("event", "to"))


def refusal(verb: Callable[..., object], *args: object, **kwargs: object) -> tuple[str, str]:
    with pytest.raises(Refused) as refused:
        verb(*args, **kwargs)
    return refused.value.code, refused.value.message
