"""What holders let others see: chosen by themselves, in force at once, audited."""

from dataclasses import replace

import pytest
from django.db import IntegrityError

from candidates.models import User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from scoring import privacy
from scoring.models import Certificate, HolderChoices
from scoring.privacy import Choices
from tests.factories import MICROSECOND, make_choices
from tests.scoring.holding import DUE, LATER, certified
from tests.threads import run_behind

LISTED = Choices(is_listed=True, state="KS")


@pytest.fixture
def certificate(candidate: User) -> Certificate:
    return certified(candidate)


def test_choices_of_who_never_chose_show_the_name_and_nothing_else(candidate: User) -> None:
    assert privacy.choices_of(candidate) == Choices(True, False, "", False, False)


def test_choose_is_kept_and_audited(certificate: Certificate, candidate: User) -> None:
    privacy.choose(candidate.pk, LISTED, by=candidate, at=LATER)
    assert privacy.choices_of(User.objects.get(pk=candidate.pk)) == LISTED
    event = Event.objects.get(verb="privacy.choose")
    assert (event.actor, event.at) == (candidate, LATER)
    assert event.before == {
        "shows_name": True,
        "is_listed": False,
        "state": "",
        "shows_district": False,
        "names_email": False,
    }
    assert event.after == event.before | {"is_listed": True, "state": "KS"}


def test_choose_twice_is_once(certificate: Certificate, candidate: User) -> None:
    for _ in range(2):
        privacy.choose(candidate.pk, LISTED, by=candidate, at=LATER)
    assert Event.objects.filter(verb="privacy.choose").count() == 1


def test_choose_anew_replaces_all(certificate: Certificate, candidate: User) -> None:
    privacy.choose(candidate.pk, LISTED, by=candidate, at=LATER)
    privacy.choose(candidate.pk, Choices(shows_name=False), by=candidate, at=LATER)
    row = HolderChoices.objects.get()
    assert (row.shows_name, row.is_listed, row.state) == (False, False, "")


def test_choose_needs_a_certificate(certificate: Certificate, candidate: User, stranger: User) -> None:
    for user, when in ((stranger, LATER), (candidate, DUE - MICROSECOND)):
        with pytest.raises(Refused) as refused:
            privacy.choose(user.pk, LISTED, by=user, at=when)
        assert refused.value.code == "no-certificate"


def test_choose_lists_nobody_without_a_name(certificate: Certificate, candidate: User) -> None:
    with pytest.raises(Refused) as refused:
        privacy.choose(candidate.pk, replace(LISTED, shows_name=False), by=candidate, at=LATER)
    assert (refused.value.code, list(refused.value.fields)) == ("name-hidden", ["is_listed"])
    assert not HolderChoices.objects.exists()


def test_database_lists_nobody_without_a_name(candidate: User) -> None:
    with pytest.raises(IntegrityError, match="listed_shows_name"):
        make_choices(candidate, shows_name=False)


@pytest.mark.django_db(transaction=True)
def test_choose_at_once_is_one_row(candidate: User) -> None:
    certified(candidate)

    def choose() -> Choices:
        return privacy.choose(candidate.pk, LISTED, by=candidate, at=LATER)

    assert run_behind(choose, [choose]) == [LISTED]
    assert HolderChoices.objects.count() == 1
    assert Event.objects.filter(verb="privacy.choose").count() == 1
