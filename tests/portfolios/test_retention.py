"""How long files are kept: each rule at its last microsecond, and what holds files back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from candidates.models import PolicyText, User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from portfolios import consents, retention
from portfolios.models import Entry, Hold, Requirement, Upload
from portfolios.retention import Why
from tests.factories import (
    MICROSECOND,
    at,
    make_cycle,
    make_entry,
    make_extension,
    make_factor,
    make_registration,
    make_text,
    make_upload,
)
from tests.portfolios.handing_in import hand_in_checked
from tests.threads import run_at_once

CLOSES, GRACE = at(2027, 6, 16), timedelta(minutes=30)
LEFT_OUT_UNTIL = CLOSES + GRACE + timedelta(days=30)
NOTICE = at(2029, 10, 31, 9).astimezone(UTC)  # days of 24 hours, whatever clocks on walls do
KEPT_UNTIL = NOTICE + timedelta(days=365)
HELD = "Score verification"


def due(when: datetime) -> list[tuple[Any, str, bool]]:
    return [(item.upload.pk, str(item.why), item.is_held) for item in retention.due(when)]


@pytest.mark.parametrize(
    ("state", "why"), [("withdrawn", Why.WITHDRAWN), ("aborted", Why.UNFINISHED), ("expired", Why.UNFINISHED)]
)
def test_some_are_due_at_once(entry: Entry, state: str, why: str, noon: datetime) -> None:
    upload = make_upload(entry, state=state)
    assert due(noon) == [(upload.pk, why, False)]


@pytest.mark.parametrize("state", ["replaced", "removed", "rejected"])
def test_what_was_left_out_is_due_after_its_window_and_a_while(entry: Entry, state: str) -> None:
    upload = make_upload(entry, state=state)
    assert due(LEFT_OUT_UNTIL - MICROSECOND) == []
    assert due(LEFT_OUT_UNTIL) == [(upload.pk, Why.LEFT_OUT, False)]


def test_what_was_left_out_waits_for_an_extension(entry: Entry) -> None:
    upload = make_upload(entry, state="replaced")
    make_extension(entry.registration, entry.cycle)
    later = LEFT_OUT_UNTIL + timedelta(days=7)
    assert [due(later - MICROSECOND), due(later)] == [[], [(upload.pk, Why.LEFT_OUT, False)]]


@pytest.mark.parametrize("state", [str(state) for state in Upload.HANDED_IN])
def test_what_was_handed_in_is_due_long_after_the_final_notice(entry: Entry, state: str) -> None:
    upload = make_upload(entry, state=state)
    assert due(at(2050, 1, 1)) == []  # the cycle of the third year is not made
    make_cycle(2029)
    assert due(KEPT_UNTIL - MICROSECOND) == []
    assert due(KEPT_UNTIL) == [(upload.pk, Why.OVER, False)]


def test_the_final_notice_is_that_of_ones_own_cohort(entry: Entry) -> None:
    make_upload(entry)
    make_cycle(2028)
    make_cycle(2030)
    assert due(at(2050, 1, 1)) == []


def test_an_upload_on_its_way_is_never_due(entry: Entry) -> None:
    make_cycle(2029)
    make_upload(entry, state="open", stored_at=None)
    assert due(at(2050, 1, 1)) == []


def test_what_is_purged_is_due_no_more(entry: Entry, noon: datetime) -> None:
    make_upload(entry, state="withdrawn", purged_at=noon)
    assert due(at(2050, 1, 1)) == []


def test_days_are_settings(entry: Entry, settings: Any) -> None:
    settings.MEDIA_KEEP_REPLACED_DAYS, settings.MEDIA_RETENTION_DAYS = 0, 1
    make_cycle(2029)
    left, handed_in = make_upload(entry, state="removed"), make_upload(entry)
    assert due(CLOSES + GRACE) == [(left.pk, Why.LEFT_OUT, False)]
    assert due(NOTICE + timedelta(days=1))[1:] == [(handed_in.pk, Why.OVER, False)]


@pytest.mark.parametrize(("extra", "is_allowed"), [(0, True), (10, True), (10, False), (10, None)])
def test_training_keeps_a_film_longer_only_where_a_setting_says_so(
    entry: Entry, video: Requirement, noon: datetime, settings: Any, extra: int, is_allowed: bool | None
) -> None:
    """`is_allowed` None: allowed once, and taken back."""
    settings.MEDIA_TRAINING_EXTRA_DAYS = extra
    make_text(PolicyText.Kind.TRAINING)
    make_cycle(2029)
    film = make_upload(entry, video)
    if is_allowed is not False:
        consents.allow_training(film.pk, by=film.owner, at=noon)
    if is_allowed is None:
        consents.withdraw_training(film.pk, by=film.owner, at=noon)
    until = KEPT_UNTIL + timedelta(days=extra if is_allowed else 0)
    assert [due(until - MICROSECOND), due(until)] == [[], [(film.pk, Why.OVER, False)]]


def test_item_counts_the_file_and_what_was_made_of_it(entry: Entry, video: Requirement, noon: datetime) -> None:
    film = hand_in_checked(entry, video, noon)
    consents.withdraw(film.pk, by=film.owner, at=noon)
    make_upload(entry, state="aborted", stored_at=None)
    found = {item.why: (item.files, item.bytes) for item in retention.due(noon)}
    assert found == {Why.WITHDRAWN: (2, film.size + film.renditions.get().size), Why.UNFINISHED: (0, 0)}


def test_keeping_says_the_same_as_the_rules(entry: Entry) -> None:
    assert retention.keeping(entry) == retention.Keeping(LEFT_OUT_UNTIL, None, 365)
    make_cycle(2029)
    assert retention.keeping(entry) == retention.Keeping(LEFT_OUT_UNTIL, KEPT_UNTIL, 365)


# ---- Holds


def test_hold_keeps_an_entry_and_no_other(entry: Entry, staff: User, noon: datetime) -> None:
    other = make_entry(entry.registration, make_factor(2))
    mine, theirs = make_upload(entry, state="withdrawn"), make_upload(other, state="withdrawn")
    hold = retention.hold(entry.registration_id, entry_id=entry.pk, reason=HELD, by=staff, at=noon)
    assert sorted(due(noon)) == sorted([(mine.pk, Why.WITHDRAWN, True), (theirs.pk, Why.WITHDRAWN, False)])
    retention.lift(hold.pk, reason="Decided.", by=staff, at=noon)
    assert {item[2] for item in due(noon)} == {False}


def test_hold_on_a_registration_keeps_all_its_entries(entry: Entry, noon: datetime) -> None:
    stranger = make_entry(make_registration(), make_factor(2))
    mine, theirs = make_upload(entry, state="withdrawn"), make_upload(stranger, state="withdrawn")
    retention.hold(entry.registration_id, reason=HELD, by=None, at=noon)
    assert sorted(due(noon)) == sorted([(mine.pk, Why.WITHDRAWN, True), (theirs.pk, Why.WITHDRAWN, False)])


def test_holds_for_two_reasons_are_two(entry: Entry, staff: User, noon: datetime) -> None:
    upload = make_upload(entry, state="withdrawn")
    key = entry.registration_id
    first = retention.hold(key, entry_id=entry.pk, reason=HELD, by=staff, at=noon)
    assert retention.hold(key, entry_id=entry.pk, reason=f" {HELD} ", by=staff, at=noon) == first
    second = retention.hold(key, entry_id=entry.pk, reason="A complaint", by=staff, at=noon)
    answers = [retention.lift(first.pk, reason="Decided.", by=staff, at=noon) for _ in range(2)]
    assert (answers, due(noon)) == ([True, False], [(upload.pk, Why.WITHDRAWN, True)])
    retention.lift(second.pk, reason="Settled.", by=staff, at=noon)
    assert due(noon) == [(upload.pk, Why.WITHDRAWN, False)]
    verbs = Event.objects.about(entry).order_by("pk").values_list("verb", "actor", "reason")
    assert list(verbs) == [
        ("hold.set", staff.pk, HELD),
        ("hold.set", staff.pk, "A complaint"),
        ("hold.lift", staff.pk, "Decided."),
        ("hold.lift", staff.pk, "Settled."),
    ]
    assert retention.hold(key, entry_id=entry.pk, reason=HELD, by=staff, at=noon) not in (first, second)


@pytest.mark.django_db(transaction=True)
def test_hold_three_times_at_once_is_one(entry: Entry, noon: datetime) -> None:
    run_at_once(lambda: retention.hold(entry.registration_id, reason=HELD, by=None, at=noon).pk, times=3)
    assert Hold.objects.count() == 1


def test_hold_and_lift_want_reasons_and_an_entry_of_the_registration(entry: Entry, staff: User, noon: datetime) -> None:
    other = make_entry(make_registration(), make_factor(2))
    hold = retention.hold(entry.registration_id, reason=HELD, by=staff, at=noon)
    for code, ask in (
        ("reason-missing", lambda: retention.hold(entry.registration_id, reason=" ", by=staff, at=noon)),
        ("reason-missing", lambda: retention.lift(hold.pk, reason=" ", by=staff, at=noon)),
        ("no-entry", lambda: retention.hold(entry.registration_id, entry_id=other.pk, reason=HELD, by=staff, at=noon)),
    ):
        with pytest.raises(Refused) as caught:
            ask()
        assert caught.value.code == code
    assert list(Hold.objects.standing()) == [hold]
