"""Back everything up, restore it into an empty machine, and find it the same; and what may go wrong with either."""

import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as portal
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from candidates.models import EvidenceRequest
from icg_cert import embedded_postgres
from icg_cert.operations import backup
from portfolios import storage
from portfolios.models import Rendition, Upload
from tests.factories import at, make_entry, make_registration, make_upload, make_user
from tests.portfolios.handing_in import prepare

pytestmark = pytest.mark.django_db(transaction=True)

NOON = at(2027, 5, 10, 12)
FILM, FOLDER = b"film" * 70_000, "2027-05-10T170000Z"


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> storage.Store:
    settings.MEDIA_ROOT = tmp_path / "media"
    if request.param == "s3":
        request.getfixturevalue("s3")
    return storage.default()


@pytest.fixture
def upload(store: storage.Store) -> Upload:
    """A film and what was made of it; a paper of the portal's; and a film that was purged."""
    registration = make_registration()
    entry = make_entry(registration)
    film = make_upload(entry, extension=".mp4", size=len(FILM), tree_sha256="tree")
    store.put(film.storage_key, BytesIO(FILM), content_type="video/mp4")
    prepare(film, NOON, "poster")
    make_upload(entry, purged_at=NOON)
    question = EvidenceRequest(registration=registration, question="A letter?", asked_at=NOON, asked_by=make_user())
    question.document.save("letter.pdf", ContentFile(b"%PDF letter"), save=True)
    return film


@pytest.fixture
def empty_database() -> Iterator[str]:
    """Another database on the same server, and the connection of this process turned to it until the test ends."""
    name, here = "restored", connection.settings_dict["NAME"]
    connection.close()
    with embedded_postgres._administration(portal.VAR_DIR) as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
    yield name
    connection.close()
    connection.settings_dict["NAME"] = here
    with embedded_postgres._administration(portal.VAR_DIR) as cursor:
        cursor.execute(f"DROP DATABASE {name}")


def turn_to(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


def everything() -> tuple[list[str], list[tuple[str]]]:
    """All rows of the database as text, in an order of their own, and the names of all that guards them."""
    at_ = connection.settings_dict
    program = [str(embedded_postgres.programs() / "pg_dump"), "--data-only"]
    where = ["-h", at_["HOST"], "-U", at_["USER"], at_["NAME"]]
    text = subprocess.run([*program, *where], capture_output=True, text=True, check=True).stdout
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal "
            "UNION ALL SELECT indexname FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
        )
        guards = cursor.fetchall()
    return sorted(line for line in text.splitlines() if "restrict " not in line), guards


def read(store: storage.Store, key: str) -> bytes:
    with store.open(key) as file:
        return file.read()


def forget_files(store: storage.Store) -> None:
    for key in [
        *Upload.objects.values_list("storage_key", flat=True),
        *Rendition.objects.values_list("storage_key", flat=True),
    ]:
        store.delete(key)


def test_restored_portal_is_the_same(upload: Upload, store: storage.Store, empty_database: str, tmp_path: Path) -> None:
    made = backup.make(tmp_path / "backups", at=NOON)
    assert (made.folder.name, made.files, made.copied, made.missing) == (FOLDER, 3, 3, [])
    before, question = everything(), EvidenceRequest.objects.get()
    poster = read(store, upload.renditions.get().storage_key)
    forget_files(store)
    question.document.storage.delete(question.document.name)
    turn_to(empty_database)
    assert backup.restore(made.folder) == 3
    assert everything() == before
    assert read(store, Upload.objects.get(pk=upload.pk).storage_key) == FILM
    assert read(store, Rendition.objects.get().storage_key) == poster
    with EvidenceRequest.objects.get().document.open() as letter:
        assert letter.read() == b"%PDF letter"


def test_second_backup_copies_what_is_new_alone(upload: Upload, store: storage.Store, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    backup.make(folder, at=NOON)
    prepare(upload, NOON + timedelta(minutes=1), "poster", b"another poster of it")
    prepare(upload, NOON + timedelta(minutes=1), "captions")
    second = backup.make(folder, at=NOON + timedelta(hours=1))
    assert (second.files, second.copied) == (4, 2)
    assert len(backup.verify(second.folder)["files"]) == 4


def test_backup_is_for_its_owner_alone(upload: Upload, tmp_path: Path) -> None:
    made = backup.make(tmp_path / "backups", at=NOON)
    found = {oct(path.stat().st_mode & 0o777) for path in (tmp_path / "backups").rglob("*") if path.is_file()}
    assert found == {"0o600"}
    assert oct(made.folder.stat().st_mode & 0o777) == "0o700"


def test_file_that_is_not_there_is_named_and_all_others_are_kept(
    upload: Upload, store: storage.Store, tmp_path: Path
) -> None:
    store.delete(upload.storage_key)
    said = StringIO()
    with pytest.raises(
        CommandError, match=f"1 files are named in the database and were not there.*{upload.storage_key}"
    ):
        call_command("backup", tmp_path / "backups", stdout=said)
    assert "the database and 2 files, 2 of them new" in said.getvalue()


def test_backup_that_was_broken_off_is_none(upload: Upload, tmp_path: Path) -> None:
    made = backup.make(tmp_path / "backups", at=NOON)
    (made.folder / "contents.json").unlink()
    with pytest.raises(CommandError, match="There is no whole backup"):
        call_command("restore", made.folder)


@pytest.mark.parametrize("harm", ["dump", "film", "gone"])
def test_harmed_backup_is_refused_before_anything_is_written(
    upload: Upload, empty_database: str, tmp_path: Path, harm: str
) -> None:
    made = backup.make(tmp_path / "backups", at=NOON)
    film = made.folder.parent / "files" / "media" / upload.storage_key
    if harm == "gone":
        film.unlink()
    else:
        target = made.folder / "database.dump" if harm == "dump" else film
        body = bytearray(target.read_bytes())
        body[-1] ^= 1
        target.write_bytes(body)
    turn_to(empty_database)
    named = "database.dump" if harm == "dump" else upload.storage_key
    with pytest.raises(CommandError, match=f"1 of its files are missing or changed: {named}"):
        call_command("restore", made.folder)
    assert connection.introspection.table_names() == []


def test_database_that_is_not_empty_is_never_written_over(upload: Upload, tmp_path: Path) -> None:
    made = backup.make(tmp_path / "backups", at=NOON)
    before = everything()
    with pytest.raises(CommandError, match="The database is not empty"):
        call_command("restore", made.folder)
    assert everything() == before


def test_verifying_changes_nothing(upload: Upload, tmp_path: Path) -> None:
    made, said = backup.make(tmp_path / "backups", at=NOON), StringIO()
    call_command("restore", made.folder, "--only-verify", stdout=said)
    assert said.getvalue() == f"Whole: the database and 3 files of {NOON.isoformat()}.\n"


def test_backup_of_another_edition_is_refused(upload: Upload, tmp_path: Path) -> None:
    made = backup.make(tmp_path / "backups", at=NOON)
    contents = json.loads((made.folder / "contents.json").read_text())
    (made.folder / "contents.json").write_text(json.dumps({**contents, "edition": 2}))
    with pytest.raises(CommandError, match="another edition"):
        call_command("restore", made.folder)


def test_backup_without_a_database_says_so(upload: Upload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is read through the connection that is open; pg_dump finds nobody."""
    monkeypatch.setitem(connection.settings_dict, "HOST", str(tmp_path))
    with pytest.raises(CommandError, match=r"No backup was made\. pg_dump could not do its work"):
        call_command("backup", tmp_path / "backups")
    assert list((tmp_path / "backups").glob("*/contents.json")) == []
