"""From received to ready, rejected or failed: what a check writes, and what it never blames on the candidate."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.test import Client

from candidates.models import User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from icg_cert.permissions import grant_roles
from portfolios import checks, storage, submission, uploads
from portfolios.checking import pdfs, videos
from portfolios.completeness import is_usable
from portfolios.models import Entry, Requirement, Upload
from portfolios.storage import LocalStore
from tests.factories import MICROSECOND, at, make_requirement
from tests.portfolios import files, films
from tests.portfolios.handing_in import hand_in, hand_in_checked
from tests.threads import run_at_once

CLOSES = at(2027, 6, 16)


def told(upload: Upload) -> tuple[str, str]:
    upload.refresh_from_db()
    return upload.state, upload.reason_code


def test_good_film_is_handed_in_with_its_measures_and_a_poster(
    entry: Entry, video: Requirement, noon: datetime
) -> None:
    upload = hand_in_checked(entry, video, noon)
    assert (upload.state, upload.duration_ms, upload.width, upload.height) == ("processing", 6000, 160, 90)
    assert (upload.checked_at, upload.check_tries, upload.has_sound, upload.remarks) == (noon, 1, True, [])
    assert is_usable(upload)
    with storage.default().open(upload.renditions.get().storage_key) as poster:
        assert poster.read(3) == b"\xff\xd8\xff"
    assert not Message.objects.exists()


def test_good_pdf_is_counted(entry: Entry, document: Requirement, noon: datetime) -> None:
    upload = hand_in_checked(entry, document, noon, files.pdf(7), "Commentary.pdf")
    assert (upload.state, upload.pages) == ("ready", 7)


@pytest.mark.parametrize(
    ("body", "name", "code"),
    [
        (files.pdf(), "Commentary.docx", "wrong-content"),
        (files.word(), "Commentary.pdf", "wrong-content"),
        (b"just text", "Commentary.pdf", "wrong-content"),
        (files.odt(), "Commentary.docx", "wrong-content"),
        (files.pdf(1, password="secret"), "Commentary.pdf", "encrypted"),
        (files.pdf(101), "Commentary.pdf", "too-many-pages"),
        (files.rezipped(files.word(), {"word/vbaProject.bin": b"x"}), "Commentary.docx", "macros"),
    ],
)
def test_document_with_the_wrong_content_is_rejected(
    entry: Entry, document: Requirement, noon: datetime, body: bytes, name: str, code: str
) -> None:
    upload = hand_in_checked(entry, document, noon, body, name)
    assert (upload.state, upload.reason_code) == ("rejected", code)
    mail = Message.objects.get()
    assert (mail.event, mail.to) == ("upload_rejected", "ada@example.org")
    assert mail.subject == "A file for Commentary (1. Factor 1) cannot be used"
    for body in (mail.body_text, mail.body_html):
        assert "It arrived on 10 May 2027, 12:00 p.m." in " ".join(body.split())
    assert upload.reason in mail.body_text
    assert name not in mail.body_text


@pytest.mark.parametrize(
    ("minimum", "again", "body", "mails"),
    [
        (1, "a.docx", files.word(), 0),
        (2, "a.docx", files.word(), 1),
        (1, "b.docx", files.word(), 1),
        (1, "a.docx", b"nor this", 2),
    ],
)
def test_nothing_is_written_of_a_file_that_came_again_and_is_good(
    entry: Entry, noon: datetime, minimum: int, again: str, body: bytes, mails: int
) -> None:
    slot = make_requirement(key="strategies", minimum=minimum, maximum=3)
    first = hand_in(entry, slot, noon, b"just text", "a.docx")
    hand_in_checked(entry, slot, noon + MICROSECOND, body, again)
    checks.check(first.pk, at=noon + MICROSECOND)
    first.refresh_from_db()
    assert first.state == "rejected"
    assert Message.objects.filter(event="upload_rejected").count() == mails


def test_nothing_is_written_of_a_file_whose_replacement_is_good(
    entry: Entry, document: Requirement, noon: datetime
) -> None:
    first = hand_in(entry, document, noon, b"just text", "a.docx")
    hand_in_checked(entry, document, noon + MICROSECOND)
    checks.check(first.pk, at=noon + MICROSECOND)
    first.refresh_from_db()
    assert (first.state, Message.objects.count()) == ("replaced", 0)


@pytest.mark.parametrize(
    ("body", "name", "code"),
    [
        (files.word(), "film.mp4", "wrong-content"),
        (files.pdf(), "film.mp4", "wrong-content"),
        (b"\xff\xd8\xff\xe0" + bytes(5000), "film.mp4", "wrong-content"),
        (bytes(5000), "film.mp4", "wrong-content"),
        (Random(1).randbytes(5000), "film.mp4", "wrong-content"),
        (b"x", "film.mp4", "wrong-content"),
        (films.good("mkv"), "film.mp4", "wrong-content"),
        (films.good("mp4"), "film.webm", "wrong-content"),
        (b"#EXTM3U\nfile:///etc/passwd", "film.mp4", "wrong-content"),
        (b"ffconcat version 1.0\nfile /etc/passwd", "film.mp4", "wrong-content"),
        (films.without_picture(), "film.mp4", "no-picture"),
        (films.with_cover(), "film.m4v", "no-picture"),
        (films.giant(), "film.mov", "frame-too-large"),
        (films.good("mp4")[:-600], "film.mp4", "damaged"),
        (films.half(films.good("mkv")), "film.mkv", "damaged"),
        (files.film(seconds=2), "film.mp4", "too-short"),
        (files.film(seconds=76), "film.mp4", "too-long"),
        (films.endless(), "film.mp4", "too-long"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.media_case(31, 32)
def test_video_with_the_wrong_content_is_rejected(
    entry: Entry, video: Requirement, noon: datetime, body: bytes, name: str, code: str
) -> None:
    upload = hand_in_checked(entry, video, noon, body, name)
    assert (upload.state, upload.reason_code) == ("rejected", code)


def test_a_minute_may_last_fifteen_seconds_longer(entry: Entry, video: Requirement, noon: datetime) -> None:
    assert hand_in_checked(entry, video, noon, files.film(seconds=75)).state == "processing"


def test_requirement_limits_the_pages_of_a_pdf(entry: Entry, noon: datetime) -> None:
    audience = make_requirement(key="audience", max_pages=1)
    assert told(hand_in_checked(entry, audience, noon, files.pdf(2), "a.pdf")) == ("rejected", "too-many-pages")
    assert told(hand_in_checked(entry, audience, noon, files.pdf(1), "a.pdf")) == ("ready", "")


def test_form_takes_what_documents_take(entry: Entry, noon: datetime) -> None:
    assert hand_in_checked(entry, make_requirement(key="checklist", kind="form"), noon).state == "ready"


def test_bytes_that_changed_in_the_store_are_found(
    entry: Entry, document: Requirement, noon: datetime, settings: Any
) -> None:
    upload = hand_in(entry, document, noon, files.pdf(), "a.pdf")
    path = settings.MEDIA_ROOT / upload.storage_key
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    checks.check(upload.pk, at=noon)
    assert told(upload) == ("rejected", "damaged-here")
    assert "You did nothing wrong" in Upload.objects.get().reason


@pytest.mark.media_case(32)
def test_film_without_sound_is_handed_in_with_a_question(entry: Entry, video: Requirement, noon: datetime) -> None:
    upload = hand_in_checked(entry, video, noon, films.without_sound())
    assert (upload.state, upload.has_sound, upload.is_silence_a_question) == ("processing", False, True)
    assert upload.remarks == [{"code": "no-sound", "words": videos.NO_SOUND}]
    assert not Message.objects.exists()


@pytest.mark.media_case(32)
def test_film_on_which_nothing_is_heard_is_left_as_it_is(entry: Entry, video: Requirement, noon: datetime) -> None:
    upload = hand_in_checked(entry, video, noon, films.silent())
    assert (upload.state, upload.has_sound, upload.remarks) == ("processing", True, [])


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (at(2027, 6, 15, 23, 59), "You can do so until"),
        (at(2027, 6, 16), "The window closed on"),
    ],
)
def test_mail_says_how_long_another_file_can_come(
    entry: Entry, document: Requirement, noon: datetime, when: datetime, words: str
) -> None:
    upload = hand_in(entry, document, noon, b"nonsense", "a.pdf")
    checks.check(upload.pk, at=when)
    mail = Message.objects.get()
    for body in (mail.body_text, mail.body_html):
        assert words in body
        assert "15 June 2027" in body or "June 15, 2027" in body


class Sure(LocalStore):
    """A store that proves its bytes itself, and counts what is read."""

    read = 0

    def is_intact(self, key: str, *, fingerprint: str, part_size: int) -> bool:
        return True

    def open(self, key: str) -> Any:
        return Counted(super().open(key))


class Counted:
    def __init__(self, file: Any) -> None:
        self.file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def read(self, size: int = -1) -> bytes:
        found: bytes = self.file.read(size)
        Sure.read += len(found)
        return found

    def __enter__(self) -> "Counted":
        return self

    def __exit__(self, *args: Any) -> None:
        self.file.close()


def test_check_reads_little_of_a_film_that_its_store_vouches_for(
    entry: Entry, video: Requirement, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = films.film(".mov", "-c:v", "mjpeg", "-q:v", "2", "-c:a", "pcm_s16le", seconds=60, size="320x180")
    upload, here = hand_in(entry, video, noon, body, "Film.mov"), storage.default()
    monkeypatch.setattr(storage, "default", lambda: Sure(here.root, here.part_url, here.lifetime))
    checks.check(upload.pk, at=noon)
    assert told(upload)[0] == "processing"
    assert 0 < Sure.read < len(body) / 5


# ---- Replacing


def test_replacement_stands_once_it_is_found_good(entry: Entry, document: Requirement, noon: datetime) -> None:
    old = hand_in_checked(entry, document, noon)
    new = hand_in(entry, document, noon + timedelta(minutes=1), files.pdf(), "New.pdf")
    assert [told(old)[0], told(new)[0]] == ["ready", "stored"]
    checks.check(new.pk, at=noon + timedelta(minutes=1))
    assert [told(old)[0], told(new)[0]] == ["replaced", "ready"]
    assert storage.default().size(old.storage_key) == old.size


def test_bad_replacement_leaves_the_good_file_standing(entry: Entry, document: Requirement, noon: datetime) -> None:
    old = hand_in_checked(entry, document, noon)
    for minute in (1, 2):
        hand_in_checked(entry, document, noon + timedelta(minutes=minute), b"bad" * minute, "New.pdf")
    states = list(Upload.objects.order_by("created_at").values_list("state", flat=True))
    assert states == ["ready", "replaced", "rejected"]
    assert told(old)[0] == "ready"


def test_files_of_a_slot_for_several_stand_side_by_side(entry: Entry, noon: datetime) -> None:
    strategies = make_requirement(key="strategies", maximum=3)
    found = [hand_in_checked(entry, strategies, noon, files.pdf(n), "s.pdf") for n in (1, 2)]
    assert [told(upload)[0] for upload in found] == ["ready", "ready"]


def test_older_file_checked_last_does_not_replace_the_newer(
    entry: Entry, document: Requirement, noon: datetime
) -> None:
    old, new = hand_in(entry, document, noon), hand_in(entry, document, noon + MICROSECOND, files.pdf(), "n.pdf")
    checks.check(new.pk, at=noon)
    checks.check(old.pk, at=noon)
    assert [told(old)[0], told(new)[0]] == ["replaced", "ready"]


# ---- Ours


def broken(*args: Any) -> None:
    raise MemoryError


def test_failure_of_ours_is_tried_three_times_and_then_taken(
    entry: Entry, document: Requirement, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = hand_in(entry, document, noon, files.pdf(), "a.pdf")
    monkeypatch.setattr(pdfs, "check", broken)
    for minutes, tries in [(0, 1), (0.5, 1), (1, 2), (5, 2), (6, 3), (60, 3)]:
        checks.check(upload.pk, at=noon + timedelta(minutes=minutes))
        upload.refresh_from_db()
        assert (upload.state, upload.check_tries) == ("failed", tries)
    assert Event.objects.filter(verb="upload.fail").count() == 1
    assert not Message.objects.exists()


def test_failure_of_ours_can_still_end_well(
    entry: Entry, document: Requirement, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = hand_in(entry, document, noon, files.pdf(), "a.pdf")
    with monkeypatch.context() as broken_once:
        broken_once.setattr(pdfs, "check", broken)
        checks.check(upload.pk, at=noon)
    checks.check(upload.pk, at=noon + timedelta(minutes=1))
    assert told(upload) == ("ready", "")


def test_failed_file_is_checked_again_once_staff_have_mended_the_cause(
    entry: Entry, document: Requirement, noon: datetime, staff: User
) -> None:
    upload = hand_in(entry, document, noon)
    with pytest.raises(Refused):
        checks.check_again(upload.pk, by=staff, at=noon)
    Upload.objects.update(state=Upload.State.FAILED, check_tries=3)
    grant_roles()
    client = Client()
    client.force_login(staff)
    chosen = {"action": "check_again", "_selected_action": [str(upload.pk)]}
    said = [client.post("/admin/portfolios/upload/", chosen, follow=True).content.decode() for _ in range(2)]
    assert "it is checked again within a minute" in said[0]
    assert "Only files whose check failed can be checked again" in said[1]
    checks.check(upload.pk, at=noon)
    upload.refresh_from_db()
    assert (upload.state, upload.check_tries) == ("ready", 1)
    assert Event.objects.get(verb="upload.check_again").actor == staff


@pytest.fixture
def unchecked(entry: Entry, document: Requirement, video: Requirement, noon: datetime) -> Upload:
    """In a complete entry, of which our check knows nothing: it is no document at all."""
    hand_in_checked(entry, video, noon)
    upload = hand_in(entry, document, noon, b"just text", "a.pdf")
    Upload.objects.filter(pk=upload.pk).update(state=Upload.State.FAILED, check_tries=3)
    return upload


def checked_again(upload: Upload, by: User, at: datetime) -> tuple[str, str]:
    checks.check_again(upload.pk, by=by, at=at)
    checks.check(upload.pk, at=at)
    return told(upload)


def test_bad_file_that_was_handed_in_for_good_stands_and_is_left_to_staff(
    entry: Entry, unchecked: Upload, staff: User, noon: datetime
) -> None:
    """Nobody could replace it, and as a refused one it would be deleted a month later."""
    submission.submit(entry.pk, by=entry.registration.user, at=noon)
    submission.lock_and_auto_submit(entry.pk, at=CLOSES)
    assert checked_again(unchecked, staff, CLOSES) == ("failed", "wrong-content")
    assert is_usable(unchecked)
    assert list(Upload.objects.awaiting_check(CLOSES + timedelta(days=1))) == []
    assert Event.objects.get(verb="upload.fail").after == {"code": "wrong-content"}
    assert [mail.event for mail in Message.objects.all()] == ["receipt"]
    assert checked_again(unchecked, staff, CLOSES) == ("failed", "wrong-content")


def test_bad_file_that_was_submitted_reopens_the_entry_while_there_is_time(
    entry: Entry, unchecked: Upload, staff: User, noon: datetime
) -> None:
    submission.submit(entry.pk, by=entry.registration.user, at=noon)
    assert checked_again(unchecked, staff, CLOSES - MICROSECOND) == ("rejected", "wrong-content")
    stands = Entry.objects.get()
    assert (stands.status, stands.manifest) == ("draft", None)
    assert "is a draft again, so submit it anew" in Message.objects.get(event="upload_rejected").body_text


def test_check_of_what_was_handed_in_replaces_nothing_beside_it(
    entry: Entry, document: Requirement, video: Requirement, staff: User, noon: datetime
) -> None:
    hand_in_checked(entry, video, noon)
    first, second = (hand_in_checked(entry, document, noon, files.pdf(), "a.pdf"), hand_in(entry, document, noon))
    Upload.objects.filter(pk=second.pk).update(state=Upload.State.FAILED, check_tries=3)
    submission.submit(entry.pk, by=entry.registration.user, at=noon)
    submission.lock_and_auto_submit(entry.pk, at=CLOSES)
    assert (checked_again(second, staff, CLOSES), told(first)) == (("ready", ""), ("ready", ""))


def test_check_whose_worker_died_is_taken_up_again(entry: Entry, document: Requirement, noon: datetime) -> None:
    upload = hand_in(entry, document, noon)
    Upload.objects.update(state=Upload.State.CHECKING, check_tries=1, checked_at=noon)
    late = noon + Upload.CHECK_TAKES_AT_MOST
    assert checks.release_abandoned(late - MICROSECOND) == 0
    assert checks.release_abandoned(late) == 1
    checks.check(upload.pk, at=late)
    assert told(upload)[0] == "ready"


def test_file_that_kills_every_worker_is_given_up(entry: Entry, document: Requirement, noon: datetime) -> None:
    upload = hand_in(entry, document, noon)
    Upload.objects.update(state=Upload.State.CHECKING, check_tries=3, checked_at=noon)
    assert checks.release_abandoned(noon + timedelta(hours=1)) == 1
    assert told(upload)[0] == "failed"


def test_file_removed_during_its_check_stays_removed(
    entry: Entry, document: Requirement, candidate: User, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = hand_in(entry, document, noon, files.pdf(), "a.pdf")
    look = pdfs.check

    def meanwhile(*args: Any) -> Any:
        uploads.remove(upload.pk, by=candidate, at=noon)
        return look(*args)

    monkeypatch.setattr(pdfs, "check", meanwhile)
    checks.check(upload.pk, at=noon)
    assert told(upload)[0] == "removed"


@pytest.mark.django_db(transaction=True)
def test_two_workers_check_a_file_once(entry: Entry, video: Requirement, noon: datetime) -> None:
    upload = hand_in(entry, video, noon)
    run_at_once(lambda: checks.check(upload.pk, at=noon), times=3)
    assert told(upload)[0] == "processing"
    assert Upload.objects.get().check_tries == 1
    assert Event.objects.filter(verb="upload.accept").count() == 1
