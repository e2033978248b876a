"""Deleting files: everything of them goes, the row stays, and no crash in between does harm."""

import logging
from datetime import datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from icg_cert.audit.models import Event
from icg_cert.lib import clock
from portfolios import consents, purging, renditions, retention, storage, submission, tasks, uploads
from portfolios.models import Entry, Purge, Rendition, Requirement, Upload
from portfolios.storage import LocalStore
from portfolios.uploads import Announced
from tests.factories import at, make_cycle, make_upload
from tests.portfolios.handing_in import hand_in, hand_in_checked
from tests.threads import run_at_once

MUCH_LATER = at(2031, 1, 1)
Kind = Rendition.Kind


@pytest.fixture
def film(entry: Entry, video: Requirement, noon: datetime) -> Upload:
    """A film with everything that can be made from an upload, and a transcript."""
    upload = hand_in_checked(entry, video, noon)
    for kind in Kind:
        renditions.keep(upload, kind, BytesIO(b"made"), content_type="video/mp4", at=noon)
    Upload.objects.filter(pk=upload.pk).update(transcript="Good morning.", remarks=[{"code": "x", "words": "y"}])
    return upload


@pytest.fixture
def withdrawn(film: Upload, noon: datetime) -> Upload:
    consents.withdraw(film.pk, by=film.owner, at=noon)
    return film


def kept(settings: Any) -> list[Path]:
    return sorted((settings.MEDIA_ROOT / "uploads").iterdir())


@pytest.mark.media_case(42)
def test_purge_leaves_nothing_but_the_row(withdrawn: Upload, noon: datetime, settings: Any) -> None:
    assert len(kept(settings)) == 1 + len(Kind)
    answers = [purging.purge(withdrawn.pk, at=noon + timedelta(minutes=n)) for n in range(2)]
    assert (answers, kept(settings)) == ([True, False], [])
    upload = Upload.objects.get(pk=withdrawn.pk)
    assert (upload.state, upload.purged_at, upload.transcript, upload.remarks) == ("withdrawn", noon, "", [])
    assert not upload.renditions.exists()
    assert not upload.parts.exists()
    assert {line.releases for line in upload.consents.all()} == {""}
    event = Event.objects.get(verb="upload.purge")
    size = withdrawn.size + len(Kind) * len(b"made")
    assert (event.actor, event.after) == (None, {"why": "consent withdrawn", "files": 1 + len(Kind), "bytes": size})


@pytest.mark.media_case(42)
def test_purge_aborts_a_transfer_that_giving_up_could_not(
    entry: Entry, video: Requirement, noon: datetime, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row said so, and then the store did not answer."""
    announced = Announced("Film.mp4", 1000, "f" * 64)
    upload, _ = uploads.begin(entry.pk, video.pk, announced, by=entry.registration.user, at=noon)
    with monkeypatch.context() as broken:
        broken.setattr(LocalStore, "abort", unreachable)
        uploads.abort(upload.pk, by=upload.owner, at=noon)
    assert (len(kept(settings)), Upload.objects.get().state) == (1, "aborted")
    purging.run(is_dry=False, at=noon)
    assert kept(settings) == []
    assert Upload.objects.get().purged_at == noon


def unreachable(*args: Any, **kwargs: Any) -> None:
    raise storage.StorageError("nobody answers")


def test_purge_of_what_is_not_due_or_held_does_nothing(film: Upload, noon: datetime, settings: Any) -> None:
    before = kept(settings)
    assert purging.purge(film.pk, at=noon) is False
    consents.withdraw(film.pk, by=film.owner, at=noon)
    retention.hold(film.entry.registration_id, reason="Score verification", by=None, at=noon)
    assert purging.purge(film.pk, at=noon) is False
    assert kept(settings) == before


def test_purge_after_a_death_between_store_and_row(
    withdrawn: Upload, noon: datetime, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(purging, "_say_so", die)
        with pytest.raises(KeyboardInterrupt):
            purging.purge(withdrawn.pk, at=noon)
    assert (kept(settings), Upload.objects.get(pk=withdrawn.pk).purged_at) == ([], None)
    assert purging.purge(withdrawn.pk, at=noon) is True


def test_purge_finds_what_a_worker_made_afterwards(withdrawn: Upload, noon: datetime, settings: Any) -> None:
    purging.purge(withdrawn.pk, at=noon)
    renditions.keep(withdrawn, Kind.FILM, BytesIO(b"late"), content_type="video/mp4", at=noon)
    later = noon + timedelta(minutes=5)
    assert [len(purging.run(is_dry=False, at=later).gone) for _ in range(2)] == [1, 0]
    assert (kept(settings), Upload.objects.get(pk=withdrawn.pk).purged_at) == ([], noon)


def test_purge_finds_what_no_row_names(withdrawn: Upload, noon: datetime, settings: Any) -> None:
    """A worker died between the store and its row."""
    Rendition.objects.all().delete()
    purging.purge(withdrawn.pk, at=noon)
    assert kept(settings) == []


@pytest.mark.django_db(transaction=True)
def test_purge_by_three_workers_is_noted_once(withdrawn: Upload, noon: datetime) -> None:
    assert sorted(run_at_once(lambda: purging.purge(withdrawn.pk, at=noon), times=3)) == [False, False, True]
    assert Event.objects.filter(verb="upload.purge").count() == 1


def test_run_goes_on_when_the_store_fails_for_one(
    entry: Entry, video: Requirement, noon: datetime, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (make_upload(entry, video, state="withdrawn") for _ in range(2))
    delete = LocalStore.delete

    def fail(store: LocalStore, key: str) -> None:
        if key == first.storage_key:
            unreachable()
        delete(store, key)

    with monkeypatch.context() as failing:
        failing.setattr(LocalStore, "delete", fail)
        report = purging.run(is_dry=False, at=noon)
    assert ([item.upload for item in report.gone], [item.upload for item in report.failed]) == ([second], [first])
    assert [(line.levelno, str(first.pk) in line.getMessage()) for line in caplog.records] == [(logging.ERROR, True)]
    assert [item.upload for item in purging.run(is_dry=False, at=noon).gone] == [first]
    rows = Purge.objects.order_by("pk").values_list("uploads", "failed", "bytes", "is_dry")
    assert list(rows) == [(1, 1, 1000, False), (1, 0, 1000, False)]


def test_dry_run_deletes_nothing_and_says_the_same(withdrawn: Upload, noon: datetime, settings: Any) -> None:
    before = kept(settings)
    dry, real = (purging.run(is_dry=is_dry, at=noon) for is_dry in (True, False))
    assert len(before) == dry.files == 1 + len(Kind)
    assert (dry.reasons, dry.bytes, dry.gone) == (real.reasons, real.bytes, real.gone)
    rows = Purge.objects.order_by("pk").values("is_dry", "uploads", "files", "bytes", "held", "failed", "reasons")
    same = {"uploads": 1, "files": dry.files, "bytes": dry.bytes, "held": 0, "failed": 0}
    reasons = {"consent withdrawn": {"uploads": 1, "files": dry.files, "bytes": dry.bytes}}
    assert list(rows) == [{"is_dry": is_dry, "reasons": reasons, **same} for is_dry in (True, False)]


def test_command_says_what_went_and_what_is_held(withdrawn: Upload, entry: Entry, noon: datetime) -> None:
    left = make_upload(entry, state="aborted", stored_at=None)
    hold = retention.hold(entry.registration_id, entry_id=entry.pk, reason="Appeal", by=None, at=noon)
    said = [told("--dry-run")]
    retention.lift(hold.pk, reason="Decided.", by=None, at=noon)
    said += [told("--dry-run"), told(), told()]
    size = withdrawn.size + len(Kind) * len(b"made")
    lines = [
        f"  {withdrawn.pk}   7 files  {size:>14,} bytes  consent withdrawn",
        f"  {left.pk}   0 files               0 bytes  never finished",
    ]
    total = f"2 uploads, 7 files, {size / 1024:.1f} KB"
    none = "0 uploads, 0 files, 0 bytes"
    after = [f"Due, and held back: {none}", f"Failed, and left to the next run: {none}"]
    assert said == [
        [f"Would go: {none}", f"Due, and held back: {total}", *lines, after[1]],
        [f"Would go: {total}", *lines, *after],
        [f"Gone: {total}", *lines, *after],
        [f"Gone: {none}", *after],
    ]


def told(*options: str) -> list[str]:
    out = StringIO()
    call_command("purge_media", *options, stdout=out)
    return out.getvalue().replace("\xa0", " ").splitlines()


def test_command_fails_when_the_store_did(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    make_upload(entry, state="withdrawn")
    monkeypatch.setattr(LocalStore, "delete", unreachable)
    with pytest.raises(SystemExit) as caught:
        told()
    assert caught.value.code == 1


def test_job_deletes_and_notes_only_what_happened(withdrawn: Upload, noon: datetime) -> None:
    clock.jump_to(noon)
    assert [tasks.purge_media(), tasks.purge_media()] == [1, 0]
    assert Purge.objects.count() == 1


def test_receipt_still_verifies_after_the_files_are_gone(
    entry: Entry, document: Requirement, video: Requirement, noon: datetime, settings: Any
) -> None:
    make_cycle(2029)
    for requirement in (document, video):
        hand_in_checked(entry, requirement, noon)
    submitted = submission.submit(entry.pk, by=entry.registration.user, at=noon)
    submission.lock_and_auto_submit(entry.pk, at=at(2027, 6, 16))
    assert len(purging.run(is_dry=False, at=MUCH_LATER).gone) == 2
    assert kept(settings) == []
    stands = Entry.objects.get()
    assert submission.fingerprint(stands.manifest) == stands.manifest_sha256 == submitted.manifest_sha256
    trees = {str(upload.pk): upload.tree_sha256 for upload in Upload.objects.all()}
    assert {file["upload"]: file["sha256_tree"] for file in stands.manifest["files"]} == trees


@pytest.mark.media_case(44)
def test_replaced_before_the_deadline_keeps_the_last_complete_one(
    entry: Entry, video: Requirement, noon: datetime, settings: Any
) -> None:
    first = hand_in_checked(entry, video, noon)
    second = hand_in_checked(entry, video, noon + timedelta(hours=1))
    third = hand_in_checked(entry, video, noon + timedelta(hours=2), b"not a film, and refused", "Film.mp4")
    last = hand_in(entry, video, noon + timedelta(hours=3), b"on its way", "Film.mp4")
    states = [Upload.objects.get(pk=upload.pk).state for upload in (first, second, third, last)]
    assert states == ["replaced", "processing", "rejected", "stored"]
    purging.run(is_dry=False, at=noon + timedelta(days=7))
    for upload in (first, second, third, last):  # nothing is deleted while it may still be asked for
        assert storage.default().size(upload.storage_key) == upload.size
    purging.run(is_dry=False, at=at(2027, 8, 1))
    assert [upload for upload in (first, second, third) if (settings.MEDIA_ROOT / upload.storage_key).exists()] == [
        second
    ]
