"""The ledger of consents: what is stated for a film, and what happens when it is taken back."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from candidates.models import PolicyText, User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from portfolios import completeness, consents, purging, submission, uploads
from portfolios.models import Consent, Entry, Rendition, Requirement, Upload
from portfolios.uploads import Announced
from tests.factories import MICROSECOND, at, make_text
from tests.portfolios.handing_in import hand_in, hand_in_checked
from tests.threads import run_at_once, run_behind

CLOSES = at(2027, 6, 16)
GRACE = timedelta(minutes=30)
RELEASES = ["Teacher release, 3 May", "Class release list"]


@pytest.fixture
def film(entry: Entry, video: Requirement, noon: datetime) -> Upload:
    """Uploaded, checked and good; of consent nothing is stated yet."""
    return hand_in_checked(entry, video, noon, consent=False)


@pytest.fixture
def submitted(entry: Entry, document: Requirement, film: Upload, noon: datetime) -> Entry:
    hand_in_checked(entry, document, noon)
    consents.confirm(film.pk, releases=RELEASES, by=film.owner, at=noon)
    return submission.submit(entry.pk, by=film.owner, at=noon)


def confirm(film: Upload, when: datetime, *releases: str) -> Upload:
    return consents.confirm(film.pk, releases=releases or RELEASES, by=film.owner, at=when)


def refused(code: str, verb: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    with pytest.raises(Refused) as caught:
        verb(*args, **kwargs)
    assert caught.value.code == code


def ledger() -> list[tuple[str, str, str, datetime]]:
    return list(Consent.objects.order_by("pk").values_list("purpose", "act", "by__email", "at"))


def state_of(film: Upload) -> str:
    return Upload.objects.values_list("state", flat=True).get(pk=film.pk)


# ---- Stated


def test_confirm_names_the_releases_once(film: Upload, noon: datetime) -> None:
    for minute in range(2):
        confirm(film, noon + timedelta(minutes=minute), "  Teacher   release, 3 May ", "", "Class release list")
    line = Consent.objects.get()
    assert (line.purpose, line.act, line.text.version if line.text else None) == ("scoring", "given", 1)
    assert (line.releases, line.by, line.at) == ("Teacher release, 3 May\nClass release list", film.owner, noon)
    film.refresh_from_db()
    assert (film.consent, film.consented_at, film.has_consent) == (line, noon, True)
    assert Event.objects.filter(verb="consent.give").count() == 1


def test_confirm_anew_adds_a_line(film: Upload, noon: datetime) -> None:
    confirm(film, noon)
    confirm(film, noon + timedelta(hours=1), "Teacher release, 4 May")
    film.refresh_from_db()
    assert film.consent == Consent.objects.order_by("at").last()
    assert [line.releases for line in film.consents.order_by("at")] == [
        "Teacher release, 3 May\nClass release list",
        "Teacher release, 4 May",
    ]


def test_tick_at_the_upload_is_a_line_and_not_yet_enough(entry: Entry, video: Requirement, noon: datetime) -> None:
    announced = Announced("Film.mp4", 1000, "f" * 64)
    upload, _ = uploads.begin(entry.pk, video.pk, announced, by=entry.registration.user, at=noon, consent=True)
    assert (upload.consented_at, upload.has_consent) == (noon, False)
    assert ledger() == [("scoring", "given", "ada@example.org", noon)]


@pytest.mark.parametrize("releases", [[], [""], ["  ", "\t"]])
def test_confirm_without_a_release_is_refused(film: Upload, noon: datetime, releases: list[str]) -> None:
    refused("releases-missing", consents.confirm, film.pk, releases=releases, by=film.owner, at=noon)
    assert not Consent.objects.exists()


def test_confirm_to_the_end_of_the_grace(entry: Entry, video: Requirement, noon: datetime) -> None:
    first, second = (hand_in(entry, video, noon, body=bytes([n]) * 30, consent=False) for n in (1, 2))
    last = CLOSES + GRACE - MICROSECOND
    assert confirm(first, last).consented_at == last
    refused("window-closed", confirm, second, CLOSES + GRACE)


def test_confirm_in_a_submitted_entry_is_refused_unless_nothing_changes(submitted: Entry, noon: datetime) -> None:
    film = Upload.objects.get(requirement__kind="video")
    assert confirm(film, noon).has_consent
    refused("slot-locked", confirm, film, noon, "Another release")


def test_confirm_for_a_document_or_by_a_stranger_is_refused(
    entry: Entry, document: Requirement, film: Upload, stranger: User, staff: User, noon: datetime
) -> None:
    text = hand_in(entry, document, noon)
    refused("no-film", confirm, text, noon)
    for person in (stranger, staff):
        refused("not-yours", consents.confirm, film.pk, releases=RELEASES, by=person, at=noon)
        refused("not-yours", consents.allow_training, film.pk, by=person, at=noon)


def test_confirm_for_a_film_that_is_gone_is_refused(film: Upload, noon: datetime) -> None:
    uploads.remove(film.pk, by=film.owner, at=noon)
    refused("gone", confirm, film, noon)
    refused("gone", consents.allow_training, film.pk, by=film.owner, at=noon)


@pytest.mark.django_db(transaction=True)
def test_confirm_in_two_tabs_adds_one_line(film: Upload, noon: datetime) -> None:
    run_at_once(lambda: confirm(film, noon), times=3)
    assert len(ledger()) == 1


def test_training_is_asked_apart_and_taken_back_alone(film: Upload, noon: datetime) -> None:
    make_text(PolicyText.Kind.TRAINING)
    confirm(film, noon)
    assert consents.is_for_training(film) is False
    for _ in range(2):
        consents.allow_training(film.pk, by=film.owner, at=noon)
    assert consents.is_for_training(film) is True
    answers = [consents.withdraw_training(film.pk, by=film.owner, at=noon) for _ in range(2)]
    assert (answers, consents.is_for_training(film), state_of(film)) == ([True, False], False, "processing")
    assert [line[:2] for line in ledger()] == [("scoring", "given"), ("training", "given"), ("training", "withdrawn")]
    film.refresh_from_db()
    assert film.has_consent
    assert not Message.objects.exists()


# ---- The ledger itself


def test_ledger_takes_no_other_change_than_forgetting_releases(film: Upload, noon: datetime) -> None:
    confirm(film, noon)
    lines = Consent.objects.all()
    for change in (
        lambda: lines.delete(),
        lambda: lines.update(act="withdrawn", releases=""),
        lambda: lines.update(at=CLOSES, releases=""),
        lambda: lines.update(releases="Another release"),
    ):
        with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
            change()
    lines.update(releases="")
    assert Consent.objects.get().releases == ""


def test_film_points_at_the_newest_line_for_scoring(film: Upload, noon: datetime) -> None:
    """The pointer is the one thing that is written twice; it must never say something else than the ledger."""
    make_text(PolicyText.Kind.TRAINING)
    steps: list[Callable[[], Any]] = [
        lambda: confirm(film, noon),
        lambda: consents.allow_training(film.pk, by=film.owner, at=noon + timedelta(minutes=1)),
        lambda: confirm(film, noon + timedelta(minutes=2), "Teacher release"),
        lambda: consents.withdraw(film.pk, by=film.owner, at=noon + timedelta(minutes=3)),
    ]
    for step in steps:
        step()
        newest = Consent.objects.filter(upload=film, purpose="scoring").order_by("at", "pk").last()
        assert Upload.objects.get(pk=film.pk).consent == newest


def test_names_of_releases_leave_no_trace_elsewhere(submitted: Entry, staff: User, noon: datetime) -> None:
    film = Upload.objects.get(requirement__kind="video")
    consents.withdraw(film.pk, reason="Mrs Doe rang.", by=staff, at=noon)
    traces = [str(event.__dict__) for event in Event.objects.all()]
    traces += [str(message.__dict__) for message in Message.objects.all()] + [str(submitted.manifest)]
    assert [trace for trace in traces if "3 May" in trace or "Class release" in trace or "Mrs Doe" in trace] == []


# ---- Taken back


def test_withdraw_from_a_draft_opens_its_slot(entry: Entry, film: Upload, noon: datetime) -> None:
    confirm(film, noon)
    later = noon + timedelta(hours=1)
    answers = [consents.withdraw(film.pk, reason="A parent asked.", by=film.owner, at=later) for _ in range(2)]
    assert (answers, state_of(film)) == ([True, False], "withdrawn")
    line = Consent.objects.get(act="withdrawn")
    assert (line.purpose, line.reason, line.text, line.at) == (
        "scoring",
        "A parent asked.",
        film.consents.first().text,
        later,
    )
    slots = completeness.slots(Entry.objects.with_slots().get())
    assert [(slot.requirement.key, slot.state) for slot in slots] == [
        ("commentary", "empty"),
        ("conversation", "empty"),
    ]
    assert not Message.objects.exists()


def test_withdraw_before_closing_reopens_a_submitted_entry_and_tells(submitted: Entry, noon: datetime) -> None:
    film = Upload.objects.get(requirement__kind="video")
    consents.withdraw(film.pk, by=film.owner, at=CLOSES - MICROSECOND)
    entry = Entry.objects.get()
    assert (entry.status, entry.manifest, entry.submitted_at) == ("draft", None, None)
    assert Event.objects.filter(verb="entry.reopen").count() == 1
    told = Message.objects.get(event="consent_withdrawn")
    assert told.to == "ada@example.org"
    assert "is a draft again" in told.body_text


@pytest.mark.parametrize("is_locked", [False, True])
def test_withdraw_after_closing_leaves_the_entry_as_it_is(submitted: Entry, is_locked: bool) -> None:
    film = Upload.objects.get(requirement__kind="video")
    if is_locked:
        submission.lock_and_auto_submit(submitted.pk, at=CLOSES)
    consents.withdraw(film.pk, by=film.owner, at=CLOSES)
    assert submission.lock_and_auto_submit(submitted.pk, at=CLOSES) == "locked"
    entry = Entry.objects.get()
    assert (entry.manifest, entry.manifest_sha256) == (submitted.manifest, submitted.manifest_sha256)
    assert consents.withdrawn_from(entry) == [film]
    assert state_of(film) == "withdrawn"


def test_withdraw_of_what_is_not_in_the_manifest_reopens_nothing(
    entry: Entry, document: Requirement, film: Upload, video: Requirement, noon: datetime
) -> None:
    """A film that was replaced is kept for a while; somebody in it may want it gone now."""
    hand_in_checked(entry, document, noon)
    hand_in_checked(entry, video, noon + timedelta(minutes=1))
    assert state_of(film) == "replaced"
    submission.submit(entry.pk, by=film.owner, at=noon + timedelta(minutes=2))
    consents.withdraw(film.pk, by=film.owner, at=noon + timedelta(minutes=3))
    assert (state_of(film), Entry.objects.get().status) == ("withdrawn", "submitted")
    assert consents.withdrawn_from(Entry.objects.get()) == []


def test_withdraw_by_staff_needs_a_reason_and_tells_the_candidate(film: Upload, staff: User, noon: datetime) -> None:
    for reason in ("", "  "):
        refused("reason-missing", consents.withdraw, film.pk, reason=reason, by=staff, at=noon)
    assert consents.withdraw(film.pk, reason="A parent wrote to us.", by=staff, at=noon) is True
    told = Message.objects.get()
    assert (told.event, told.to) == ("consent_withdrawn", "ada@example.org")
    assert "A parent wrote" not in told.body_text + told.body_html
    assert "upload another video until" in told.body_text
    assert Event.objects.get(verb="consent.withdraw").actor == staff


def test_withdraw_training_by_staff_tells_the_candidate(film: Upload, staff: User, noon: datetime) -> None:
    make_text(PolicyText.Kind.TRAINING)
    consents.allow_training(film.pk, by=film.owner, at=noon)
    refused("reason-missing", consents.withdraw_training, film.pk, by=staff, at=noon)
    assert consents.withdraw_training(film.pk, reason="A parent wrote to us.", by=staff, at=noon) is True
    assert "for scoring alone" in Message.objects.get().body_text


def test_withdraw_ends_the_use_for_training_too(film: Upload, noon: datetime) -> None:
    make_text(PolicyText.Kind.TRAINING)
    consents.allow_training(film.pk, by=film.owner, at=noon)
    consents.withdraw(film.pk, by=film.owner, at=noon)
    assert consents.is_for_training(film) is False


def test_withdraw_of_a_film_on_its_way_ends_the_upload(entry: Entry, video: Requirement, noon: datetime) -> None:
    announced = Announced("Film.mp4", 1000, "f" * 64)
    upload, _ = uploads.begin(entry.pk, video.pk, announced, by=entry.registration.user, at=noon, consent=True)
    consents.withdraw(upload.pk, by=upload.owner, at=noon)
    assert state_of(upload) == "aborted"
    assert [line[1] for line in ledger()] == ["given", "withdrawn"]


@pytest.mark.django_db(transaction=True)
def test_withdraw_behind_another_tab_that_submits_reopens(
    entry: Entry, document: Requirement, film: Upload, noon: datetime
) -> None:
    hand_in_checked(entry, document, noon)
    confirm(film, noon)
    submitting = partial(submission.submit, entry.pk, by=film.owner, at=noon)
    run_behind(submitting, [lambda: consents.withdraw(film.pk, by=film.owner, at=noon)])
    assert (Entry.objects.get().status, state_of(film)) == ("draft", "withdrawn")


@pytest.mark.django_db(transaction=True)
def test_withdraw_in_three_tabs_happens_once(film: Upload, noon: datetime) -> None:
    assert sorted(run_at_once(lambda: consents.withdraw(film.pk, by=film.owner, at=noon), times=3)) == [
        False,
        False,
        True,
    ]
    assert len(ledger()) == 1


def test_withdrawn_film_goes_with_the_next_run(film: Upload, settings: Any, noon: datetime) -> None:
    confirm(film, noon)
    assert Rendition.objects.filter(upload=film).exists()
    consents.withdraw(film.pk, by=film.owner, at=noon)
    purging.run(is_dry=False, at=noon)
    assert [path.name for path in (settings.MEDIA_ROOT / "uploads").iterdir()] == []
    assert not Rendition.objects.exists()
    assert [line.releases for line in film.consents.all()] == ["", ""]
