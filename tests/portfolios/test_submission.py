"""Start, submit, reopen, lock: the way of an entry, its boundaries, and everything twice."""

import json
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

import pytest

from candidates.models import Extension, PolicyText, Registration, User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from portfolios import admission, completeness, consent_ledger, consents, submission, uploads
from portfolios.models import Consent, Entry, Factor, Requirement, Upload
from portfolios.submission import Incomplete, lock_and_auto_submit, reopen, start, submit
from tests.factories import (
    MICROSECOND,
    at,
    make_cohort,
    make_cycle,
    make_entry,
    make_factor,
    make_registration,
    make_requirement,
    make_text,
    make_upload,
    make_user,
)
from tests.portfolios import files, films
from tests.portfolios.handing_in import hand_in, hand_in_checked
from tests.threads import run_at_once

OPENS, CLOSES = at(2027, 5, 1), at(2027, 6, 16)
GRACE = timedelta(minutes=30)


@pytest.fixture
def complete(entry: Entry, document: Requirement, video: Requirement, noon: datetime) -> Entry:
    hand_in_checked(entry, document, noon)
    hand_in_checked(entry, video, noon)
    return entry


def begin_entry(registration: Registration, factor: Factor, year: int, when: datetime) -> Entry:
    cycle = make_cycle(year)
    return start(registration.pk, factor.pk, cycle.pk, by=registration.user, at=when)


def refused(code: str, verb: object, *args: object, **kwargs: object) -> str:
    with pytest.raises(Refused) as caught:
        verb(*args, **kwargs)  # type: ignore[operator]
    assert caught.value.code == code
    return caught.value.message


# ---- Start


@pytest.mark.parametrize("when", [OPENS, CLOSES - MICROSECOND])
def test_start_inside_the_window(candidate: User, when: datetime) -> None:
    entry = begin_entry(make_registration(candidate), make_factor(), 2027, when)
    assert (entry.status, entry.is_retake, entry.created_at) == ("draft", False, when)


@pytest.mark.parametrize(
    ("when", "code"), [(OPENS - MICROSECOND, "window-not-open"), (CLOSES, "window-closed"), (CLOSES + GRACE, None)]
)
def test_start_outside_the_window_is_refused(candidate: User, when: datetime, code: str | None) -> None:
    registration = make_registration(candidate)
    refused(code or "window-closed", begin_entry, registration, make_factor(), 2027, when)
    assert not Entry.objects.exists()


def test_start_twice_finds_the_same_entry(candidate: User, noon: datetime) -> None:
    registration = make_registration(candidate)
    first, second = (begin_entry(registration, make_factor(), 2027, noon) for _ in range(2))
    assert first == second
    assert Event.objects.filter(verb="entry.start").count() == 1


@pytest.mark.django_db(transaction=True)
def test_start_in_two_tabs_makes_one_entry(candidate: User, noon: datetime) -> None:
    registration, factor, _ = make_registration(candidate), make_factor(), make_cycle(2027)
    found = run_at_once(lambda: begin_entry(registration, factor, 2027, noon).pk, times=3)
    assert len(set(found)) == 1


def test_start_unpaid_is_refused(candidate: User, noon: datetime) -> None:
    registration = make_registration(candidate, payment_status=Registration.Payment.UNPAID)
    refused("not-taking-part", begin_entry, registration, make_factor(), 2027, noon)


def test_start_for_somebody_else_is_refused(candidate: User, stranger: User, noon: datetime) -> None:
    registration, cycle = make_registration(candidate), make_cycle(2027)
    refused("not-yours", start, registration.pk, make_factor().pk, cycle.pk, by=stranger, at=noon)


@pytest.mark.parametrize(
    ("year", "outcomes", "verdict"),
    [
        (2026, [], "outside"),
        (2027, [], "first"),
        (2028, [], "first"),
        (2028, [""], "handed_in"),
        (2028, ["fell_short"], "retake_later"),
        (2028, ["banked"], "banked"),
        (2029, [], "retakes_only"),
        (2029, [""], "handed_in"),
        (2029, ["fell_short"], "retake"),
        (2029, ["banked"], "banked"),
        (2030, ["fell_short"], "outside"),
    ],
)
def test_what_each_year_allows(candidate: User, year: int, outcomes: list[str], verdict: str) -> None:
    registration = make_registration(candidate, make_cohort(2026))
    for number, outcome in enumerate(outcomes):
        cycle = make_cycle(2027 + number)
        make_entry(registration, cycle=cycle, status=Entry.Status.LOCKED, outcome=outcome)
    assert submission.allowed(registration, make_factor(), make_cycle(year)) == verdict


def test_start_of_a_retake_is_marked(candidate: User) -> None:
    registration = make_registration(candidate)
    make_entry(registration, status=Entry.Status.LOCKED, outcome=Entry.Outcome.FELL_SHORT)
    assert begin_entry(registration, make_factor(), 2029, at(2029, 5, 2)).is_retake


def test_start_of_a_first_entry_in_the_third_year_is_refused(candidate: User) -> None:
    message = refused("not-allowed", begin_entry, make_registration(candidate), make_factor(), 2029, at(2029, 5, 2))
    assert "retakes only" in message


# ---- Submit


def test_submit_freezes_the_manifest_and_sends_the_receipt(complete: Entry, noon: datetime) -> None:
    entry = submit(complete.pk, by=complete.registration.user, at=noon)
    assert (entry.status, entry.submitted_at, entry.was_auto_submitted) == ("submitted", noon, False)
    film, text = Upload.objects.get(requirement__kind="video"), Upload.objects.get(requirement__kind="document")
    assert entry.manifest == {
        "version": 2,
        "receipt": entry.receipt_code,
        "entry": entry.pk,
        "candidate": entry.registration.code,
        "factor": {"number": 1, "name": "Factor 1"},
        "cycle": 2027,
        "submitted_at": "2027-05-10T17:00:00+00:00",
        "submitted_by": "candidate",
        "files": [
            {
                "requirement": "commentary",
                "title": "Commentary",
                "upload": str(text.pk),
                "name": f"commentary-{str(text.pk)[:8]}.docx",
                "size": len(files.word()),
                "part_size": 8 * 1024 * 1024,
                "sha256_tree": text.tree_sha256,
                "received_at": "2027-05-10T17:00:00+00:00",
                "consent_version": None,
                "consented_at": None,
            },
            {
                "requirement": "conversation",
                "title": "Conversation",
                "upload": str(film.pk),
                "name": f"conversation-{str(film.pk)[:8]}.mp4",
                "size": len(files.film()),
                "part_size": 8 * 1024 * 1024,
                "sha256_tree": film.tree_sha256,
                "received_at": "2027-05-10T17:00:00+00:00",
                "consent_version": 1,
                "consented_at": "2027-05-10T17:00:00+00:00",
            },
        ],
    }
    canonical = json.dumps(entry.manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert entry.manifest_sha256 == sha256(canonical.encode()).hexdigest()
    assert [(m.event, m.to) for m in Message.objects.all()] == [("receipt", "ada@example.org")]


def test_submit_twice_changes_nothing(complete: Entry, noon: datetime) -> None:
    first = submit(complete.pk, by=complete.registration.user, at=noon)
    second = submit(complete.pk, by=complete.registration.user, at=noon + timedelta(hours=1))
    assert (second.submitted_at, second.manifest_sha256) == (noon, first.manifest_sha256)
    assert Message.objects.count() == 1
    assert Event.objects.filter(verb="entry.submit").count() == 1


def test_submit_names_each_thing_that_is_missing(entry: Entry, noon: datetime) -> None:
    with pytest.raises(Incomplete) as caught:
        submit(entry.pk, by=entry.registration.user, at=noon)
    assert [gap.text for gap in caught.value.gaps] == ["Commentary: no file yet.", "Conversation: no file yet."]
    assert Entry.objects.get().status == "draft"


def test_submit_waits_for_the_check_of_each_file(
    entry: Entry, document: Requirement, video: Requirement, noon: datetime
) -> None:
    hand_in_checked(entry, document, noon)
    hand_in(entry, video, noon)
    with pytest.raises(Incomplete) as caught:
        submit(entry.pk, by=entry.registration.user, at=noon)
    assert [(gap.requirement, gap.code) for gap in caught.value.gaps] == [("Conversation", "checking")]


def test_submit_asks_for_the_consent_of_each_video(
    entry: Entry, document: Requirement, video: Requirement, noon: datetime
) -> None:
    hand_in_checked(entry, document, noon)
    film = hand_in_checked(entry, video, noon, consent=False)
    with pytest.raises(Incomplete) as caught:
        submit(entry.pk, by=entry.registration.user, at=noon)
    assert [(gap.requirement, gap.code) for gap in caught.value.gaps] == [("Conversation", "consent")]
    consents.confirm(film.pk, releases=["Teacher release"], by=entry.registration.user, at=noon)
    assert submit(entry.pk, by=entry.registration.user, at=noon).status == "submitted"


def test_submit_asks_whether_a_film_is_meant_to_have_no_sound(
    entry: Entry, document: Requirement, video: Requirement, noon: datetime
) -> None:
    hand_in_checked(entry, document, noon)
    film = hand_in_checked(entry, video, noon, films.without_sound(), "Film.mp4", consent=False)
    gaps = []
    for confirm in (partial(consents.confirm, releases=["Teacher release"]), uploads.confirm_silence):
        with pytest.raises(Incomplete) as caught:
            submit(entry.pk, by=entry.registration.user, at=noon)
        gaps += [(gap.requirement, gap.code) for gap in caught.value.gaps]
        confirm(film.pk, by=entry.registration.user, at=noon)
    assert gaps == [("Conversation", "consent"), ("Conversation", "sound")]
    assert submit(entry.pk, by=entry.registration.user, at=noon).status == "submitted"


def test_submit_leaves_an_optional_requirement_open(complete: Entry, noon: datetime) -> None:
    make_requirement(key="review", kind="video", minimum=0)
    assert submit(complete.pk, by=complete.registration.user, at=noon).status == "submitted"


@pytest.mark.parametrize(("files_there", "codes"), [(0, ["empty"]), (1, ["partly"]), (2, [])])
def test_submit_counts_the_files_that_are_asked_for(
    candidate: User, noon: datetime, files_there: int, codes: list[str]
) -> None:
    entry = make_entry(make_registration(candidate))
    strategies = make_requirement(key="strategies", minimum=2, maximum=5)
    for _ in range(files_there):
        make_upload(entry, strategies)
    assert [gap.code for gap in completeness.gaps(Entry.objects.with_slots().get())] == codes


def test_submit_takes_a_file_that_our_own_check_could_not_handle(complete: Entry, noon: datetime) -> None:
    Upload.objects.filter(requirement__kind="video").update(state=Upload.State.FAILED, check_tries=3)
    assert submit(complete.pk, by=complete.registration.user, at=noon).status == "submitted"


@pytest.mark.parametrize(
    ("when", "code"),
    [(OPENS - MICROSECOND, "window-not-open"), (CLOSES, "window-closed"), (CLOSES + GRACE - MICROSECOND, None)],
)
def test_submit_outside_the_window_is_refused(complete: Entry, when: datetime, code: str | None) -> None:
    refused(code or "window-closed", submit, complete.pk, by=complete.registration.user, at=when)


def test_submit_at_the_last_microsecond(complete: Entry) -> None:
    assert submit(complete.pk, by=complete.registration.user, at=CLOSES - MICROSECOND).status == "submitted"


def test_submit_of_another_persons_entry_is_refused(complete: Entry, stranger: User, noon: datetime) -> None:
    refused("not-yours", submit, complete.pk, by=stranger, at=noon)


@pytest.mark.django_db(transaction=True)
def test_submit_in_two_tabs_sends_one_receipt(complete: Entry, noon: datetime) -> None:
    user = complete.registration.user
    hashes = run_at_once(lambda: submit(complete.pk, by=user, at=noon).manifest_sha256, times=3)
    assert len(set(hashes)) == 1
    assert Message.objects.count() == 1


# ---- Reopen


def test_reopen_makes_a_draft_that_can_be_submitted_anew(complete: Entry, noon: datetime) -> None:
    user = complete.registration.user
    first = submit(complete.pk, by=user, at=noon).manifest_sha256
    entry = reopen(complete.pk, by=user, at=noon)
    assert (entry.status, entry.submitted_at, entry.manifest, entry.manifest_sha256) == ("draft", None, None, "")
    assert reopen(complete.pk, by=user, at=noon).status == "draft"
    assert submit(complete.pk, by=user, at=noon + timedelta(minutes=1)).manifest_sha256 != first
    assert Message.objects.filter(event="receipt").count() == 2


def test_reopen_after_closing_is_refused(complete: Entry, noon: datetime) -> None:
    user = complete.registration.user
    submit(complete.pk, by=user, at=noon)
    assert reopen(complete.pk, by=user, at=CLOSES - MICROSECOND).status == "draft"
    submit(complete.pk, by=user, at=CLOSES - MICROSECOND)
    refused("window-closed", reopen, complete.pk, by=user, at=CLOSES)


def test_files_of_a_submitted_entry_stand(complete: Entry, video: Requirement, noon: datetime) -> None:
    submit(complete.pk, by=complete.registration.user, at=noon)
    refused("slot-locked", hand_in, complete, video, noon)
    film = Upload.objects.get(requirement=video)
    refused("slot-locked", uploads.remove, film.pk, by=complete.registration.user, at=noon)


# ---- Closing


def test_lock_before_closing_does_nothing(complete: Entry, noon: datetime) -> None:
    submit(complete.pk, by=complete.registration.user, at=noon)
    assert lock_and_auto_submit(complete.pk, at=CLOSES - MICROSECOND) == "submitted"
    assert lock_and_auto_submit(complete.pk, at=CLOSES) == "locked"


def test_lock_of_a_submitted_entry_keeps_its_manifest(complete: Entry, noon: datetime) -> None:
    before = submit(complete.pk, by=complete.registration.user, at=noon).manifest_sha256
    assert [lock_and_auto_submit(complete.pk, at=CLOSES + timedelta(days=n)) for n in (0, 1)] == ["locked"] * 2
    entry = Entry.objects.get()
    assert (entry.manifest_sha256, entry.locked_at, entry.was_auto_submitted) == (before, CLOSES, False)
    assert [m.event for m in Message.objects.all()] == ["receipt"]


def test_lock_submits_a_complete_draft_and_says_so(complete: Entry) -> None:
    assert lock_and_auto_submit(complete.pk, at=CLOSES) == "locked"
    entry = Entry.objects.get()
    assert (entry.was_auto_submitted, entry.submitted_at, entry.manifest["submitted_by"]) == (True, CLOSES, "portal")
    assert [m.event for m in Message.objects.all()] == ["auto_submitted"]


def test_lock_lapses_an_incomplete_draft_and_says_what_was_missing(
    entry: Entry, document: Requirement, noon: datetime
) -> None:
    hand_in_checked(entry, document, noon)
    assert [lock_and_auto_submit(entry.pk, at=CLOSES) for _ in range(2)] == ["lapsed"] * 2
    told = Message.objects.get()
    assert told.event == "lapsed"
    assert "Conversation: no file yet." in told.body_text
    assert "Commentary" not in told.body_text


@pytest.mark.parametrize("left_behind", ["entry", "complete"])
def test_lock_of_somebody_who_withdrew_submits_and_tells_nothing(
    left_behind: str, request: pytest.FixtureRequest
) -> None:
    entry = request.getfixturevalue(left_behind)
    Registration.objects.update(status=Registration.Status.WITHDRAWN)
    assert lock_and_auto_submit(entry.pk, at=CLOSES) == "lapsed"
    assert not Message.objects.exists()


def test_lock_submits_for_somebody_whose_seat_was_lost_over_money(complete: Entry) -> None:
    """Their result is withheld until the fee is settled; their work is not lost for it."""
    Registration.objects.update(payment_status=Registration.Payment.PARTLY_PAID)
    assert lock_and_auto_submit(complete.pk, at=CLOSES) == "locked"


def test_lock_waits_for_an_upload_within_the_grace(entry: Entry, document: Requirement, video: Requirement) -> None:
    hand_in_checked(entry, document, CLOSES - timedelta(hours=1))
    late = uploads.Announced("Film.mp4", 1000, "f" * 64)
    begun, _ = uploads.begin(entry.pk, video.pk, late, by=entry.registration.user, at=CLOSES - MICROSECOND)
    assert lock_and_auto_submit(entry.pk, at=CLOSES) == "draft"
    assert lock_and_auto_submit(entry.pk, at=CLOSES + GRACE - MICROSECOND) == "draft"
    uploads.expire(begun.pk, at=CLOSES + GRACE)
    assert lock_and_auto_submit(entry.pk, at=CLOSES + GRACE) == "lapsed"


def test_replacement_that_never_arrived_costs_nobody_the_entry(complete: Entry, video: Requirement) -> None:
    """Closing and giving up are two jobs, which run in any order, or at once."""
    late = uploads.Announced("Film.mp4", 1000, "f" * 64)
    begun, _ = uploads.begin(complete.pk, video.pk, late, by=complete.registration.user, at=CLOSES - MICROSECOND)
    assert lock_and_auto_submit(complete.pk, at=CLOSES + GRACE) == "draft"
    uploads.expire(begun.pk, at=CLOSES + GRACE)
    assert lock_and_auto_submit(complete.pk, at=CLOSES + GRACE) == "locked"


LATE = uploads.Announced("New film.mp4", 1000, "f" * 64)
NOT_ARRIVED = "The newest file for {} had not arrived in time; what is listed above counts."


@pytest.mark.parametrize("expires", [CLOSES + GRACE, CLOSES - timedelta(days=1)])
def test_replacement_that_never_arrived_is_told(complete: Entry, video: Requirement, expires: datetime) -> None:
    """At closing, or days before it, when nothing more came: what counts is not what was meant last."""
    begun, _ = uploads.begin(complete.pk, video.pk, LATE, by=complete.registration.user, at=expires - timedelta(days=2))
    uploads.expire(begun.pk, at=expires)
    assert lock_and_auto_submit(complete.pk, at=CLOSES + GRACE) == "locked"
    mail = Message.objects.get(event="auto_submitted")
    assert NOT_ARRIVED.format("Conversation") in mail.body_text
    assert NOT_ARRIVED.format("Conversation") in mail.body_html
    assert "New film" not in mail.body_text + mail.body_html


def test_what_was_given_up_before_the_file_that_counts_is_not_told(
    entry: Entry, document: Requirement, video: Requirement, noon: datetime
) -> None:
    hand_in_checked(entry, document, noon)
    begun, _ = uploads.begin(entry.pk, video.pk, LATE, by=entry.registration.user, at=noon)
    uploads.expire(begun.pk, at=noon + timedelta(days=2))
    hand_in_checked(entry, video, noon + timedelta(days=2))
    assert lock_and_auto_submit(entry.pk, at=CLOSES) == "locked"
    assert "arrived in time" not in Message.objects.get(event="auto_submitted").body_text


def test_each_requirement_whose_file_never_arrived_is_told_once(
    complete: Entry, video: Requirement, optional: Requirement
) -> None:
    """Also where nothing was asked for and nothing is here, and of two that began before what counts had arrived."""
    for requirement, mark in ((video, "a"), (video, "b"), (optional, "c")):
        late = uploads.Announced("Film.mp4", 1000, mark * 64)
        begun, _ = uploads.begin(complete.pk, requirement.pk, late, by=complete.registration.user, at=CLOSES - GRACE)
        uploads.expire(begun.pk, at=CLOSES + GRACE)
    Upload.objects.filter(state="processing").update(stored_at=CLOSES - MICROSECOND)
    assert lock_and_auto_submit(complete.pk, at=CLOSES + GRACE) == "locked"
    body = Message.objects.get(event="auto_submitted").body_text
    assert [body.count(NOT_ARRIVED.format(title)) for title in ("Conversation", "Reviewing data")] == [1, 1]


def test_submit_waits_for_an_upload_though_the_slot_holds_a_good_file(complete: Entry, video: Requirement) -> None:
    by = complete.registration.user
    uploads.begin(complete.pk, video.pk, LATE, by=by, at=CLOSES - GRACE)
    refused("incomplete", submit, complete.pk, by=by, at=CLOSES - GRACE)


def test_lock_waits_for_a_check_beyond_the_grace(entry: Entry, document: Requirement, video: Requirement) -> None:
    hand_in_checked(entry, document, CLOSES - timedelta(hours=1))
    hand_in(entry, video, CLOSES - MICROSECOND)
    assert lock_and_auto_submit(entry.pk, at=CLOSES + timedelta(days=1)) == "draft"
    Upload.objects.filter(state=Upload.State.STORED).update(state=Upload.State.READY)
    assert lock_and_auto_submit(entry.pk, at=CLOSES + timedelta(days=1)) == "locked"


@pytest.mark.parametrize("is_agreed", [False, True])
def test_lock_waits_in_the_grace_for_a_consent_alone(
    entry: Entry, document: Requirement, video: Requirement, is_agreed: bool
) -> None:
    hand_in_checked(entry, document, CLOSES - timedelta(hours=1))
    film = hand_in_checked(entry, video, CLOSES - MICROSECOND, consent=False)
    if is_agreed:
        consent_ledger.give(film, Consent.Purpose.SCORING, by=film.owner, at=CLOSES - MICROSECOND)
    assert lock_and_auto_submit(entry.pk, at=CLOSES) == "draft"
    consents.confirm(film.pk, releases=["Teacher release"], by=entry.registration.user, at=CLOSES + GRACE - MICROSECOND)
    assert lock_and_auto_submit(entry.pk, at=CLOSES + GRACE) == "locked"


def test_lock_waits_in_the_grace_for_a_word_on_a_film_without_sound(
    entry: Entry, document: Requirement, video: Requirement
) -> None:
    hand_in_checked(entry, document, CLOSES - timedelta(hours=1))
    film = hand_in_checked(entry, video, CLOSES - MICROSECOND, films.without_sound(), "Film.mp4", consent=False)
    assert lock_and_auto_submit(entry.pk, at=CLOSES) == "draft"
    consents.confirm(film.pk, releases=["Teacher release"], by=entry.registration.user, at=CLOSES)
    assert lock_and_auto_submit(entry.pk, at=CLOSES + GRACE - MICROSECOND) == "draft"
    uploads.confirm_silence(film.pk, by=entry.registration.user, at=CLOSES + GRACE - MICROSECOND)
    assert lock_and_auto_submit(entry.pk, at=CLOSES + GRACE - MICROSECOND) == "locked"


def test_lock_takes_a_film_without_sound_when_nobody_can_be_asked(
    entry: Entry, document: Requirement, video: Requirement
) -> None:
    """Its check may end after the grace. A consent is another matter: without it nobody may see the film."""
    hand_in_checked(entry, document, CLOSES - timedelta(hours=1))
    hand_in_checked(entry, video, CLOSES - MICROSECOND, films.without_sound(), "Film.mp4")
    assert lock_and_auto_submit(entry.pk, at=CLOSES + GRACE) == "locked"


@pytest.fixture
def optional(entry: Entry) -> Requirement:
    return make_requirement(entry.factor, "review", kind="video", minimum=0, maximum=2, title="Reviewing data")


@pytest.mark.parametrize("is_agreed", [False, True])
@pytest.mark.parametrize(
    ("when", "status", "states"),
    [
        (CLOSES + GRACE - MICROSECOND, "draft", ["ready", "processing", "processing"]),
        (CLOSES + GRACE, "locked", ["ready", "processing", "removed"]),
    ],
)
def test_lock_leaves_out_an_optional_film_that_nobody_agreed_to(
    complete: Entry, optional: Requirement, when: datetime, status: str, states: list[str], is_agreed: bool
) -> None:
    """What nobody asked for must not cost the entry."""
    film = hand_in_checked(complete, optional, CLOSES - MICROSECOND, consent=False)
    if is_agreed:
        consent_ledger.give(film, Consent.Purpose.SCORING, by=film.owner, at=CLOSES - MICROSECOND)
    assert lock_and_auto_submit(complete.pk, at=when) == status
    assert list(complete.uploads.values_list("state", flat=True)) == states


def test_what_is_left_out_is_not_in_the_manifest_and_is_told(complete: Entry, optional: Requirement) -> None:
    hand_in_checked(complete, optional, CLOSES - timedelta(hours=1))
    hand_in_checked(complete, optional, CLOSES - MICROSECOND, films.without_sound(), "Two.mp4", consent=False)
    assert lock_and_auto_submit(complete.pk, at=CLOSES + GRACE) == "locked"
    complete.refresh_from_db()
    assert complete.manifest is not None
    assert [file["requirement"] for file in complete.manifest["files"]] == ["commentary", "conversation", "review"]
    assert list(complete.uploads.values_list("state", flat=True)) == ["ready", "processing", "processing", "removed"]
    mail = Message.objects.get(event="auto_submitted")
    assert "Left out, because its signed releases were not named by then: Reviewing data. It was" in mail.body_text
    assert Event.objects.get(verb="upload.leave_out").reason == "optional, and its releases were not named"


def test_lock_lapses_an_entry_that_is_nothing_but_a_film_that_nobody_agreed_to(candidate: User) -> None:
    entry = make_entry(make_registration(candidate), make_factor())
    make_text(PolicyText.Kind.CONSENT)
    film = make_requirement(entry.factor, "review", kind="video", minimum=0)
    upload = hand_in_checked(entry, film, CLOSES - MICROSECOND, consent=False)
    assert lock_and_auto_submit(entry.pk, at=CLOSES + GRACE) == "lapsed"
    upload.refresh_from_db()
    assert upload.state == "processing"


def test_extension_moves_the_closing_of_one_person(complete: Entry, staff: User) -> None:
    until = CLOSES + timedelta(days=3)
    Extension.objects.create(
        registration=complete.registration,
        cycle=complete.cycle,
        closes_at=until,
        reason="Outage",
        granted_by=staff,
        granted_at=CLOSES,
    )
    other = make_entry(make_registration(make_user()), status=Entry.Status.SUBMITTED)
    assert [lock_and_auto_submit(e.pk, at=until - MICROSECOND) for e in (complete, other)] == ["draft", "locked"]
    assert admission.finish_by(Entry.objects.with_slots().get(pk=complete.pk)) == until + GRACE
    assert lock_and_auto_submit(complete.pk, at=until) == "locked"


def test_extension_after_the_closing_revives_what_lapsed(entry: Entry, staff: User) -> None:
    until, granted_at = CLOSES + timedelta(days=9), CLOSES + timedelta(days=2)
    submitted = make_entry(entry.registration, make_factor(2), entry.cycle, status=Entry.Status.SUBMITTED)
    other = make_entry(make_registration(make_user()))
    for each in (entry, submitted, other):
        lock_and_auto_submit(each.pk, at=CLOSES)
    assert list(Entry.objects.revivable(granted_at)) == []
    Extension.objects.create(
        registration=entry.registration,
        cycle=entry.cycle,
        closes_at=until,
        reason="Ill on the last day",
        granted_by=staff,
        granted_at=granted_at,
    )
    assert list(Entry.objects.revivable(until - MICROSECOND)) == [entry]
    assert list(Entry.objects.revivable(until)) == []
    tries = [submission.revive(each.pk, at=granted_at) for each in (entry, entry, submitted, other)]
    assert tries == [True, False, False, False]
    states = Entry.objects.order_by("pk").values_list("status", flat=True)
    assert list(states) == ["draft", "locked", "lapsed"]
    assert lock_and_auto_submit(entry.pk, at=until - MICROSECOND) == "draft"
    assert lock_and_auto_submit(entry.pk, at=until) == "lapsed"
    assert submission.revive(entry.pk, at=until) is False
    assert Message.objects.filter(user=entry.registration.user, event="lapsed").count() == 2


@pytest.mark.django_db(transaction=True)
def test_closing_meets_the_candidates_own_click(complete: Entry) -> None:
    """Two jobs at once: one hands it in, the other finds it handed in."""
    assert run_at_once(lambda: lock_and_auto_submit(complete.pk, at=CLOSES), times=2) == ["locked", "locked"]
    assert [m.event for m in Message.objects.all()] == ["auto_submitted"]


@pytest.mark.parametrize("status", [Entry.Status.LOCKED, Entry.Status.LAPSED])
def test_nothing_leaves_its_end(candidate: User, noon: datetime, status: str) -> None:
    entry = make_entry(make_registration(candidate), status=status)
    for verb in (submit, reopen):
        refused("window-closed", verb, entry.pk, by=candidate, at=noon)
    assert lock_and_auto_submit(entry.pk, at=CLOSES) == status
