"""The verbs of uploads: rules, boundaries, repeats, and two at once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from io import BytesIO
from typing import Any

import pytest

from candidates.models import Registration, User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from portfolios import storage, submission, uploads
from portfolios.models import Entry, Requirement, Upload, UploadPart
from portfolios.storage import LocalStore
from portfolios.uploads import (
    Announced,
    PartsMissing,
    abort,
    begin,
    complete,
    expire,
    finish,
    overdue,
    receive,
    remove,
    sent_whole,
    sign,
)
from tests.factories import MICROSECOND, at, make_entry, make_registration, make_requirement, make_upload
from tests.portfolios import files
from tests.portfolios.handing_in import hand_in
from tests.threads import run_at_once, run_behind

OPENS, CLOSES = at(2027, 5, 1), at(2027, 6, 16)
GRACE = timedelta(minutes=30)
PRINT = "f" * 64
BODY = b"0123456789" * 3


@pytest.fixture(autouse=True)
def small_parts(settings: Any) -> None:
    settings.UPLOAD_PART_BYTES = 10


def announced(name: str = "My commentary.pdf", size: int = len(BODY), fingerprint: str = PRINT) -> Announced:
    return Announced(name, size, fingerprint)


def begun(entry: Entry, requirement: Requirement, when: datetime, **file: Any) -> Upload:
    return begin(entry.pk, requirement.pk, announced(**file), by=entry.registration.user, at=when)[0]


def send(upload: Upload, *numbers: int, when: datetime) -> None:
    """Ask for permission and send, as the browser does."""
    for number in numbers:
        body = BODY[(number - 1) * 10 : number * 10]
        (signed,) = sign(upload.pk, [(number, storage.digest(body))], by=upload.owner, at=when)
        receive(*uploads.permitted(signed.url.rsplit("/", 1)[1], at=when), body, at=when)


def refused(code: str, verb: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(Refused) as caught:
        verb(*args, **kwargs)
    assert caught.value.code == code
    assert caught.value.message.endswith(".")
    return caught.value.message


# ---- Begin


def test_begin_opens_an_upload_with_a_safe_name(entry: Entry, document: Requirement, noon: datetime) -> None:
    upload, is_new = begin(
        entry.pk, document.pk, announced("../evil\x00\u202ename.PDF"), by=entry.registration.user, at=noon
    )
    assert is_new
    assert {
        field: getattr(upload, field)
        for field in ("filename", "extension", "size", "part_size", "state", "created_at", "consent")
    } == {
        "filename": "evilname.PDF",
        "extension": ".pdf",
        "size": 30,
        "part_size": 10,
        "state": "open",
        "created_at": noon,
        "consent": None,
    }
    assert upload.part_count == 3
    assert "evil" not in upload.neutral_name
    assert "evil" not in upload.storage_key


def test_begin_again_finds_the_open_upload(entry: Entry, document: Requirement, noon: datetime) -> None:
    first = begun(entry, document, noon)
    again, is_new = begin(entry.pk, document.pk, announced("Renamed.pdf"), by=first.owner, at=noon)
    assert (again, is_new) == (first, False)
    assert begun(entry, document, noon, fingerprint="e" * 64) != first


@pytest.mark.media_case(17)
@pytest.mark.django_db(transaction=True)
def test_begin_six_times_at_once_opens_one(entry: Entry, document: Requirement, noon: datetime, settings: Any) -> None:
    found = run_at_once(lambda: begun(entry, document, noon).pk, times=6)
    assert len(set(found)) == 1
    assert Upload.objects.count() == 1
    assert len(list((settings.MEDIA_ROOT / "uploads").iterdir())) == 1


@pytest.mark.parametrize("when", [OPENS, CLOSES - MICROSECOND])
def test_begin_inside_the_window(entry: Entry, document: Requirement, when: datetime) -> None:
    assert begun(entry, document, when).state == "open"


@pytest.mark.parametrize(
    ("when", "code"),
    [(OPENS - MICROSECOND, "window-not-open"), (CLOSES, "window-closed"), (CLOSES + MICROSECOND, "window-closed")],
)
def test_begin_outside_the_window_is_refused(
    entry: Entry, document: Requirement, when: datetime, code: str, settings: Any
) -> None:
    refused(code, begun, entry, document, when)
    assert not Upload.objects.exists()
    assert not (settings.MEDIA_ROOT / "uploads").exists()


@pytest.mark.media_case(18)
@pytest.mark.parametrize(
    ("file", "code"),
    [
        ({"name": "film.mp4"}, "wrong-type"),
        ({"name": "macro.docm"}, "wrong-type"),
        ({"name": "notes.txt"}, "wrong-type"),
        ({"name": "commentary"}, "wrong-type"),
        ({"name": "commentary.pdf.exe"}, "wrong-type"),
        ({"size": 0}, "empty"),
        ({"size": 25 * 1024 * 1024 + 1}, "too-large"),
    ],
)
def test_begin_with_a_file_that_does_not_fit(
    entry: Entry, document: Requirement, noon: datetime, file: dict[str, Any], code: str
) -> None:
    refused(code, begun, entry, document, noon, **file)
    assert not Upload.objects.exists()


@pytest.mark.media_case(18)
@pytest.mark.parametrize(("kind", "most"), [("document", 25 * 1024**2), ("form", 25 * 1024**2), ("video", 4 * 1024**3)])
def test_begin_with_the_largest_file(entry: Entry, noon: datetime, kind: str, most: int, settings: Any) -> None:
    settings.UPLOAD_PART_BYTES = 8 * 1024**2
    requirement = make_requirement(key=f"a-{kind}", kind=kind)
    name = "film.mov" if kind == "video" else "checklist.odt"
    assert begun(entry, requirement, noon, name=name, size=most).size == most
    refused("too-large", begun, entry, requirement, noon, name=name, size=most + 1, fingerprint="e" * 64)


@pytest.mark.media_case(21)
def test_begin_on_a_full_disk(
    entry: Entry, document: Requirement, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise storage.DiskFull

    monkeypatch.setattr(storage.LocalStore, "create", full)
    refused("no-space", begun, entry, document, noon)
    assert not Upload.objects.exists()


def test_begin_a_sixth_unfinished_upload_is_refused(entry: Entry, document: Requirement, noon: datetime) -> None:
    opened = [begun(entry, document, noon, fingerprint=f"{n:064}") for n in range(5)]
    assert "5 unfinished" in refused("too-many-open", begun, entry, document, noon)
    abort(opened[0].pk, by=opened[0].owner, at=noon)
    assert begun(entry, document, noon).state == "open"


def test_begin_in_a_full_slot_is_refused(entry: Entry, noon: datetime) -> None:
    strategies = make_requirement(key="strategies", minimum=1, maximum=2)
    make_upload(entry, strategies)
    begun(entry, strategies, noon)
    refused("slot-full", begun, entry, strategies, noon, fingerprint="e" * 64)


@pytest.mark.parametrize(
    "standing", [{"payment_status": "unpaid"}, {"payment_status": "refunded"}, {"status": "withdrawn"}]
)
def test_begin_without_a_seat_is_refused(
    entry: Entry, document: Requirement, noon: datetime, standing: dict[str, str]
) -> None:
    Registration.objects.update(**standing)
    refused("not-taking-part", begun, entry, document, noon)


@pytest.mark.media_case(16)
def test_begin_in_another_persons_entry_is_refused(
    entry: Entry, document: Requirement, stranger: User, noon: datetime
) -> None:
    refused("not-yours", begin, entry.pk, document.pk, announced(), by=stranger, at=noon)


# ---- Parts


def test_parts_in_any_order_and_twice_become_the_file(entry: Entry, document: Requirement, noon: datetime) -> None:
    upload = begun(entry, document, noon)
    send(upload, 3, 1, 2, 1, when=noon)
    tree = storage.tree([storage.digest(BODY[n : n + 10]) for n in (0, 10, 20)])
    stored = complete(upload.pk, tree=tree, by=upload.owner, at=noon)
    assert (stored.state, stored.stored_at, stored.tree_sha256) == ("stored", noon, tree)
    with storage.default().open(stored.storage_key) as file:
        assert file.read() == BODY


@pytest.mark.parametrize(
    "wanted",
    [(0, ""), (4, ""), (-1, ""), (1, "c2hvcnQ="), (1, "not base64!")],
)
def test_sign_for_a_part_that_does_not_exist(
    entry: Entry, document: Requirement, noon: datetime, wanted: tuple[int, str]
) -> None:
    upload = begun(entry, document, noon)
    refused("bad-part", sign, upload.pk, [wanted], by=upload.owner, at=noon)


@pytest.mark.parametrize("body", [b"another te", b"0123", BODY])
def test_part_with_other_bytes_than_signed_is_refused(
    entry: Entry, document: Requirement, noon: datetime, body: bytes
) -> None:
    upload = begun(entry, document, noon)
    part = storage.Part(1, 10, storage.digest(BODY[:10]))
    refused("damaged-part", receive, uploads.transfer_of(upload), part, body, at=noon)
    assert uploads.received(upload) == []


def test_part_of_one_number_does_not_pass_for_another(entry: Entry, document: Requirement, noon: datetime) -> None:
    upload = begun(entry, document, noon)
    (signed,) = sign(upload.pk, [(1, storage.digest(BODY[:10]))], by=upload.owner, at=noon)
    transfer, part = uploads.permitted(signed.url.rsplit("/", 1)[1], at=noon)
    refused("damaged-part", receive, transfer, part, b"x" * 10, at=noon)
    assert part.number == 1


@pytest.mark.parametrize("end", ["abort", "expire", "complete"])
def test_nothing_is_signed_or_received_after_the_end(
    entry: Entry, document: Requirement, noon: datetime, end: str
) -> None:
    upload = begun(entry, document, noon)
    send(upload, 1, 2, 3, when=noon)
    part = storage.Part(1, 10, storage.digest(BODY[:10]))
    if end == "complete":
        complete(upload.pk, by=upload.owner, at=noon)
    elif end == "abort":
        abort(upload.pk, by=upload.owner, at=noon)
    else:
        expire(upload.pk, at=noon)
    refused("not-open", sign, upload.pk, [(1, "")], by=upload.owner, at=noon)
    refused("not-open", receive, uploads.transfer_of(upload), part, BODY[:10], at=noon)


@pytest.mark.django_db(transaction=True)
def test_same_part_from_two_tabs_at_once(entry: Entry, document: Requirement, noon: datetime) -> None:
    upload = begun(entry, document, noon)
    run_at_once(lambda: send(upload, 2, when=noon), times=3)
    assert [part.number for part in uploads.received(upload)] == [2]


# ---- Complete


def test_complete_names_the_parts_that_are_missing(entry: Entry, document: Requirement, noon: datetime) -> None:
    upload = begun(entry, document, noon)
    send(upload, 2, when=noon)
    with pytest.raises(PartsMissing) as caught:
        complete(upload.pk, by=upload.owner, at=noon)
    assert caught.value.numbers == [1, 3]
    assert Upload.objects.get().state == "open"


def test_complete_with_another_tree_is_refused(entry: Entry, document: Requirement, noon: datetime) -> None:
    upload = begun(entry, document, noon)
    send(upload, 1, 2, 3, when=noon)
    refused("wrong-tree", complete, upload.pk, tree="c2hvcnQ=-3", by=upload.owner, at=noon)


def test_complete_of_what_was_given_up_meanwhile_is_refused(
    entry: Entry, document: Requirement, noon: datetime
) -> None:
    """The row still says open when complete looks, and the bytes are gone when it wants them."""
    upload = begun(entry, document, noon)
    send(upload, 1, 2, 3, when=noon)
    storage.default().abort(uploads.transfer_of(upload))
    refused("not-open", complete, upload.pk, by=upload.owner, at=noon)


def test_complete_twice_answers_the_same(entry: Entry, document: Requirement, noon: datetime) -> None:
    upload = begun(entry, document, noon)
    send(upload, 1, 2, 3, when=noon)
    answers = [complete(upload.pk, by=upload.owner, at=noon + timedelta(seconds=n)).stored_at for n in range(2)]
    assert answers == [noon, noon]
    assert Event.objects.filter(verb="upload.complete").count() == 1


@pytest.mark.django_db(transaction=True)
def test_complete_in_two_tabs_stores_once(entry: Entry, document: Requirement, noon: datetime) -> None:
    upload = begun(entry, document, noon)
    send(upload, 1, 2, 3, when=noon)
    states = run_at_once(lambda: complete(upload.pk, by=upload.owner, at=noon).state, times=3)
    assert states == ["stored"] * 3
    assert Event.objects.filter(verb="upload.complete").count() == 1


@pytest.mark.media_case(25)
def test_what_began_in_time_may_finish_in_the_grace(entry: Entry, document: Requirement) -> None:
    upload = begun(entry, document, CLOSES - MICROSECOND)
    last = CLOSES + GRACE - MICROSECOND
    assert begun(entry, document, last) == upload
    send(upload, 1, 2, 3, when=last)
    assert complete(upload.pk, by=upload.owner, at=last).stored_at == last


@pytest.mark.media_case(25)
def test_nothing_finishes_after_the_grace(entry: Entry, document: Requirement) -> None:
    upload = begun(entry, document, CLOSES - MICROSECOND)
    send(upload, 1, 2, 3, when=CLOSES)
    for verb in (
        lambda: complete(upload.pk, by=upload.owner, at=CLOSES + GRACE),
        lambda: send(upload, 1, when=CLOSES + GRACE),
        lambda: begun(entry, document, CLOSES + GRACE),
    ):
        refused("window-closed", verb)
    assert Upload.objects.get().state == "open"


# ---- Completed by the portal itself

QUIET = timedelta(minutes=1)


def test_upload_whose_every_part_is_here_is_completed_after_a_little_while(
    entry: Entry, document: Requirement, noon: datetime
) -> None:
    """The last request was lost, and the page closed."""
    upload, partly = begun(entry, document, noon), begun(entry, document, noon, fingerprint="e" * 64)
    send(upload, 1, 2, when=noon)
    send(upload, 3, when=noon + timedelta(minutes=5))
    send(partly, 1, 3, when=noon)
    due = noon + timedelta(minutes=5) + QUIET
    assert (sent_whole(due - MICROSECOND), sent_whole(due)) == ([], [upload.pk])
    assert [finish(pk, at=due) for pk in (upload.pk, partly.pk, upload.pk)] == [True, False, True]
    assert sent_whole(due) == []
    upload.refresh_from_db()
    tree = storage.tree([storage.digest(BODY[n : n + 10]) for n in (0, 10, 20)])
    assert (upload.state, upload.stored_at, upload.tree_sha256) == ("stored", due, tree)
    assert [event.actor for event in Event.objects.filter(verb="upload.complete")] == [None]


@pytest.mark.parametrize("size", [29, 30, 31])
def test_every_part_is_counted(entry: Entry, document: Requirement, noon: datetime, size: int) -> None:
    upload = begun(entry, document, noon, size=size)
    UploadPart.objects.bulk_create(
        UploadPart(upload=upload, number=n, size=10, sha256="", received_at=noon) for n in (1, 2, 3)
    )
    assert sent_whole(noon + QUIET) == ([upload.pk] if size <= 30 else [])


@pytest.mark.media_case(25)
@pytest.mark.parametrize("after", [-MICROSECOND, timedelta(0), QUIET, timedelta(hours=1)])
def test_what_was_here_before_the_end_of_the_grace_counts(
    entry: Entry, document: Requirement, after: timedelta
) -> None:
    """Also when the jobs stood still meanwhile. It is as of its last part then; what lacks a part is given up."""
    last, at_once = CLOSES + GRACE - MICROSECOND, CLOSES + GRACE + after
    whole, partly = (begun(entry, document, CLOSES - MICROSECOND, fingerprint=mark * 64) for mark in "ab")
    send(whole, 1, 2, 3, when=last)
    send(partly, 1, 3, when=last)
    for upload in (whole, partly):
        uploads.finish_or_expire(upload.pk, at=at_once)
        upload.refresh_from_db()
    assert [(upload.state, upload.stored_at) for upload in (whole, partly)] == [("stored", last), ("expired", None)]


def test_what_was_given_up_is_not_completed(entry: Entry, document: Requirement, noon: datetime) -> None:
    upload = begun(entry, document, noon)
    send(upload, 1, 2, 3, when=noon)
    abort(upload.pk, by=upload.owner, at=noon)
    assert (sent_whole(noon + QUIET), finish(upload.pk, at=noon + QUIET)) == ([], False)
    assert Upload.objects.get().state == "aborted"


# ---- Ends


def test_abort_forgets_the_bytes_and_may_be_repeated(
    entry: Entry, document: Requirement, noon: datetime, settings: Any
) -> None:
    upload = begun(entry, document, noon)
    for _ in range(2):
        abort(upload.pk, by=upload.owner, at=noon)
    assert Upload.objects.get().state == "aborted"
    assert list((settings.MEDIA_ROOT / "uploads").iterdir()) == []
    assert Event.objects.filter(verb="upload.aborted").count() == 1


def test_abort_does_not_touch_a_file_that_is_here(entry: Entry, document: Requirement, noon: datetime) -> None:
    upload = hand_in(entry, document, noon, BODY, "My commentary.pdf")
    abort(upload.pk, by=upload.owner, at=noon)
    assert Upload.objects.get().state == "stored"
    assert storage.default().size(upload.storage_key) == upload.size


@pytest.mark.media_case(25)
def test_overdue_are_the_silent_and_those_whose_grace_is_over(entry: Entry, document: Requirement) -> None:
    silent = begun(entry, document, at(2027, 5, 10), fingerprint="a" * 64)
    heard = begun(entry, document, at(2027, 5, 10), fingerprint="b" * 64)
    send(heard, 1, when=at(2027, 5, 11))
    assert overdue(at(2027, 5, 12) - MICROSECOND) == []
    assert overdue(at(2027, 5, 12)) == [silent.pk]
    late = begun(entry, document, CLOSES - MICROSECOND, fingerprint="c" * 64)
    given_up = CLOSES + GRACE + timedelta(minutes=2)  # whoever completed in time may still wait for the answer
    assert late.pk not in overdue(given_up - MICROSECOND)
    assert late.pk in overdue(given_up)


def test_upload_is_kept_until_it_is_overdue(entry: Entry, document: Requirement, noon: datetime) -> None:
    upload = begun(entry, document, noon)
    assert uploads.kept_until(upload) == noon + timedelta(days=2)
    send(upload, 1, when=noon + timedelta(days=1))
    kept_until = uploads.kept_until(upload)
    assert kept_until == noon + timedelta(days=3)
    assert (overdue(kept_until - MICROSECOND), overdue(kept_until)) == ([], [upload.pk])
    send(upload, 2, when=CLOSES - MICROSECOND)
    assert uploads.kept_until(upload) == CLOSES + GRACE


@pytest.mark.media_case(25)
def test_overdue_spares_who_uploads_slowly_up_to_the_end(entry: Entry, document: Requirement) -> None:
    slow = begun(entry, document, CLOSES - timedelta(days=3))
    send(slow, 1, when=CLOSES - MICROSECOND)
    assert overdue(CLOSES) == []
    assert overdue(CLOSES + GRACE + timedelta(minutes=2)) == [slow.pk]


@pytest.mark.media_case(25)
def test_completing_in_the_last_second_may_end_after_the_grace(
    entry: Entry, document: Requirement, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The jobs of the next minute come while the store puts the file together."""
    upload, over = begun(entry, document, CLOSES - MICROSECOND), CLOSES + GRACE
    send(upload, 1, 2, 3, when=CLOSES)
    put_together = LocalStore.complete

    def slowly(*args: Any) -> None:
        put_together(*args)
        for late in overdue(over):
            uploads.expire(late, at=over)
        assert submission.lock_and_auto_submit(entry.pk, at=over) == "draft"

    monkeypatch.setattr(LocalStore, "complete", slowly)
    assert complete(upload.pk, by=upload.owner, at=over - MICROSECOND).state == "stored"


@pytest.mark.django_db(transaction=True)
def test_remove_behind_another_tab_that_completes_removes_the_file(
    entry: Entry, document: Requirement, noon: datetime
) -> None:
    upload = begun(entry, document, noon)
    send(upload, 1, 2, 3, when=noon)
    completing = partial(complete, upload.pk, by=upload.owner, at=noon)
    run_behind(completing, [lambda: remove(upload.pk, by=upload.owner, at=noon)])
    assert Upload.objects.get().state == "removed"


def test_remove_takes_a_file_out_of_its_slot(entry: Entry, document: Requirement, noon: datetime) -> None:
    upload = hand_in(entry, document, noon, BODY, "My commentary.pdf")
    for _ in range(2):
        remove(upload.pk, by=upload.owner, at=noon)
    assert Upload.objects.get().state == "removed"
    assert Event.objects.filter(verb="upload.remove").count() == 1


@pytest.mark.parametrize(
    ("when", "code"), [(CLOSES - MICROSECOND, None), (CLOSES, "window-closed"), (CLOSES + GRACE, "window-closed")]
)
def test_remove_until_closing(
    entry: Entry, document: Requirement, noon: datetime, when: datetime, code: str | None
) -> None:
    upload = hand_in(entry, document, noon, BODY, "My commentary.pdf")
    if code:
        refused(code, remove, upload.pk, by=upload.owner, at=when)
    else:
        remove(upload.pk, by=upload.owner, at=when)
    assert Upload.objects.get().state == ("stored" if code else "removed")


@pytest.mark.media_case(16)
def test_remove_of_another_persons_file_is_refused(
    entry: Entry, document: Requirement, stranger: User, noon: datetime
) -> None:
    refused("not-yours", remove, hand_in(entry, document, noon, BODY, "My commentary.pdf").pk, by=stranger, at=noon)


# ---- The rest


def test_take_in_is_the_whole_protocol_at_once(entry: Entry, document: Requirement, noon: datetime) -> None:
    upload = hand_in(entry, document, noon, body=BODY, name="My commentary.pdf")
    assert (upload.state, upload.size, upload.parts.count()) == ("stored", 30, 3)
    assert upload.tree_sha256 == storage.tree([storage.digest(BODY[n : n + 10]) for n in (0, 10, 20)])


def test_fingerprint_knows_the_size_and_three_places() -> None:
    mib = 1024 * 1024
    bodies = [bytes(4 * mib), bytes(4 * mib - 1), b"1" + bytes(4 * mib - 1), bytes(4 * mib - 1) + b"1"]
    middle = bytearray(4 * mib)
    middle[2 * mib] = 1
    prints = [uploads.fingerprint_of(BytesIO(body)) for body in [*bodies, bytes(middle)]]
    assert len(set(prints)) == 5
    assert uploads.fingerprint_of(BytesIO(b"abc")) == uploads.fingerprint_of(BytesIO(b"abc"))


def test_uploads_never_leave_their_state_by_a_way_that_is_not_named() -> None:
    ends = {state for state, following in Upload.NEXT.items() if not following}
    assert ends == {"aborted", "expired", "withdrawn"}
    assert set(Upload.NEXT) == set(Upload.State)
    out_of_the_slot = {state for state, following in Upload.NEXT.items() if following <= {"withdrawn"}}
    assert set(Upload.GONE) == out_of_the_slot - {"ready"}


def test_real_files_keep_their_bytes(entry: Entry, video: Requirement, noon: datetime, settings: Any) -> None:
    settings.UPLOAD_PART_BYTES = 1000
    upload = hand_in(entry, video, noon)
    with storage.default().open(upload.storage_key) as file:
        assert file.read() == files.film()


def test_entry_of_somebody_else_is_not_listed(entry: Entry, stranger: User, staff: User) -> None:
    other = make_entry(make_registration(stranger))
    assert [list(Entry.objects.visible_to(user)) for user in (stranger, entry.registration.user)] == [[other], [entry]]
    assert set(Entry.objects.visible_to(staff)) == {entry, other}
    assert list(Entry.objects.owned_by(staff)) == []


# ---- A film without sound


@pytest.fixture
def silent(entry: Entry, noon: datetime) -> Upload:
    video = make_requirement(key="conversation", kind="video")
    return make_upload(entry, video, has_sound=False, extension=".mp4", remarks=[{"code": "no-sound", "words": "?"}])


def test_confirm_silence_is_noted_once(silent: Upload, candidate: User, noon: datetime) -> None:
    for minutes in (0, 1):
        uploads.confirm_silence(silent.pk, by=candidate, at=noon + timedelta(minutes=minutes))
    silent.refresh_from_db()
    assert silent.remarks_seen_at == noon
    assert Event.objects.filter(verb="upload.confirm_silence").count() == 1


@pytest.mark.parametrize("has_sound", [True, None])
def test_confirm_silence_of_another_file_changes_nothing(
    silent: Upload, candidate: User, noon: datetime, has_sound: bool | None
) -> None:
    Upload.objects.update(has_sound=has_sound)
    assert uploads.confirm_silence(silent.pk, by=candidate, at=noon).remarks_seen_at is None
    assert not Event.objects.filter(verb="upload.confirm_silence").exists()


def test_confirm_silence_until_the_grace_is_over(silent: Upload, candidate: User, stranger: User) -> None:
    over = CLOSES + GRACE
    refused("not-yours", uploads.confirm_silence, silent.pk, by=stranger, at=over - MICROSECOND)
    refused("window-closed", uploads.confirm_silence, silent.pk, by=candidate, at=over)
    assert uploads.confirm_silence(silent.pk, by=candidate, at=over - MICROSECOND).remarks_seen_at is not None
