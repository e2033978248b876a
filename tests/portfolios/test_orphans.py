"""Transfers that the store holds and no upload waits for, on both stores."""

from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest

from icg_cert.lib import clock
from portfolios import storage, tasks, uploads
from portfolios.models import Entry, Requirement, Upload
from portfolios.uploads import Announced
from tests.factories import at

PART = 5 * 1024 * 1024
STALE = timedelta(hours=48)
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["local", "s3"], autouse=True)
def kept_in(request: pytest.FixtureRequest, settings: Any) -> None:
    if request.param == "s3":
        request.getfixturevalue("s3")
    settings.UPLOAD_PART_BYTES = PART


def create(name: str) -> storage.Transfer:
    return storage.default().create(name, size=10, part_size=PART, content_type="application/pdf")


def held() -> list[str]:
    return [one.key for one in storage.default().unfinished("uploads/", before=at(2099, 1, 1))]


@pytest.mark.media_case(42)
def test_orphans_are_forgotten_once_they_are_old(entry: Entry, document: Requirement, noon: datetime) -> None:
    file = Announced("My commentary.pdf", 10, "f" * 64)
    upload, _ = uploads.begin(entry.pk, document.pk, file, by=entry.registration.user, at=noon)
    given_up, _ = uploads.begin(
        entry.pk, document.pk, Announced("a.pdf", 10, "e" * 64), by=entry.registration.user, at=noon
    )
    Upload.objects.filter(pk=given_up.pk).update(state="aborted")  # and the store did not answer
    create("uploads/orphan")
    now = clock.now()
    assert uploads.abort_orphans(at=now + STALE - MINUTE) == 0
    assert [uploads.abort_orphans(at=now + STALE + MINUTE) for _ in range(2)] == [2, 0]
    assert upload.storage_key in held()
    assert "uploads/orphan" not in held()


@pytest.mark.django_db
def test_orphans_sweep_touches_no_finished_file(noon: datetime) -> None:
    """A worker that died while it stored a film anew left a transfer of the same name."""
    storage.default().put("uploads/one-film", BytesIO(b"film"), content_type="video/mp4")
    create("uploads/one-film")
    assert uploads.abort_orphans(at=clock.now() + STALE + MINUTE) == 1
    assert storage.default().size("uploads/one-film") == 4


@pytest.mark.django_db
@pytest.mark.parametrize(("minute", "count"), [(0, 1), (1, 0), (59, 0)])
def test_orphans_are_looked_for_once_an_hour_by_the_wall_clock(
    monkeypatch: pytest.MonkeyPatch, noon: datetime, minute: int, count: int
) -> None:
    asked: list[datetime] = []
    monkeypatch.setattr(uploads, "abort_orphans", lambda *, at: asked.append(at) or 1)
    wall = noon.replace(minute=minute)
    monkeypatch.setattr("django.utils.timezone.now", lambda: wall)
    clock.jump_to(noon + timedelta(days=700, minutes=7))
    assert tasks.abort_orphans() == count
    assert asked == [wall] * count
