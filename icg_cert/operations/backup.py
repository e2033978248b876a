"""A backup of everything: the database as of one instant, and every file it names. And the way back.

    <folder>/<day-time>/database.dump   pg_dump's own format
    <folder>/<day-time>/contents.json   what is in it; written last, so that without it a backup is not whole
    <folder>/files/<store>/<key>        files, shared by all backups of the folder: each is copied once

The list of files and the dump come from one snapshot. Files are not encrypted here; the folder is for its owner alone.
"""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.apps import apps
from django.core.files.storage import default_storage
from django.db import connection, models, transaction

from icg_cert import embedded_postgres
from icg_cert.mail.models import Message
from portfolios import admission, storage
from portfolios.models import Rendition, Upload

DUMP, CONTENTS, FILES = "database.dump", "contents.json", "files"
CHUNK = 1024 * 1024
EDITION = 1


class Unusable(Exception):
    """This backup, or this place to restore it to, will not do. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class File:
    """One file: where the portal keeps it, what distinguishes it from an earlier one there, and its bytes."""

    store: str  # "media", candidates' files and what was made of them; "papers", the portal's own
    key: str
    mark: str
    content_type: str = ""
    size: int = -1
    sha256: str = ""

    @property
    def path(self) -> str:
        return f"{FILES}/{self.store}/{self.key}"


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made: where, how many files it holds, how many were new, and which the store no longer had."""

    folder: Path
    files: int
    copied: int
    missing: list[str]


# ---- There


def make(folder: Path, *, at: datetime) -> Made:
    """Back everything up into `folder`. Files of earlier backups there are not copied again. Raises Unusable."""
    target = folder / f"{at.astimezone(UTC):%Y-%m-%dT%H%M%SZ}"
    target.mkdir(mode=0o700, parents=True)
    before = {(file.store, file.key, file.mark): file for file in _latest(folder)}
    with _snapshot() as snapshot:
        rows, files = _counts(), list(_files())
        _postgres("pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={target / DUMP}")
    (target / DUMP).chmod(0o600)
    kept: list[File] = []
    missing: list[str] = []
    copied = 0
    for file in files:
        known = before.get((file.store, file.key, file.mark))
        if known and _size(folder / known.path) == known.size:
            kept.append(known)
        elif found := _copy(file, folder):
            kept.append(found)
            copied += 1
        else:
            missing.append(file.key)
    contents = {
        "edition": EDITION,
        "made_at": at.isoformat(),
        "database": {"size": (target / DUMP).stat().st_size, "sha256": _sha256(target / DUMP), "rows": rows},
        "files": [asdict(file) for file in kept],
        "missing": missing,
    }
    _write(target / CONTENTS, json.dumps(contents, indent=1).encode())
    return Made(target, len(kept), copied, missing)


@contextmanager
def _snapshot() -> Iterator[str]:
    """The instant that dump and list are of: a read-only transaction, whose name pg_dump takes over."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        yield str(cursor.fetchone()[0])


def _counts() -> dict[str, int]:
    """Rows of each table, Django's own and the hidden ones between two others included."""
    with connection.cursor() as cursor:
        found = {}
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608  a table's name
            found[table] = cursor.fetchone()[0]
    return found


def _files() -> Iterator[File]:
    uploads = Upload.objects.filter(stored_at__isnull=False, purged_at=None).order_by("pk")
    for upload in uploads.iterator():
        kind = admission.CONTENT_TYPES.get(upload.extension, "application/octet-stream")
        yield File("media", upload.storage_key, upload.tree_sha256, kind)
    for made in Rendition.objects.order_by("pk").iterator():
        yield File("media", made.storage_key, made.made_at.isoformat(), made.content_type)
    for name in sorted({*_papers(), *Message.objects.exclude(attachment="").values_list("attachment", flat=True)}):
        yield File("papers", name, "")


def _papers() -> Iterator[str]:
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, models.FileField):
                names = model._default_manager.order_by().exclude(**{field.name: ""})
                yield from names.values_list(field.name, flat=True)


def _copy(file: File, folder: Path) -> File | None:
    """The file with its size and digest, once it is on the disk; None when it went since the snapshot was taken."""
    try:
        source = _open(file)
    except (storage.Missing, FileNotFoundError):
        return None
    target = folder / file.path
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = target.with_name(f"{target.name}.part")
    with source, open(beside, "wb", opener=_private) as copy:
        found = hashlib.sha256()
        while chunk := source.read(CHUNK):
            found.update(chunk)
            copy.write(chunk)
        size = copy.tell()
        copy.flush()
        os.fsync(copy.fileno())
    beside.replace(target)
    return File(file.store, file.key, file.mark, file.content_type, size, found.hexdigest())


def _open(file: File) -> BinaryIO:
    return storage.default().open(file.key) if file.store == "media" else default_storage.open(file.key)  # type: ignore[return-value]


def _latest(folder: Path) -> list[File]:
    """The files of the newest whole backup beside this one."""
    whole = sorted(folder.glob(f"*/{CONTENTS}"))
    return [File(**file) for file in json.loads(whole[-1].read_text())["files"]] if whole else []


# ---- And back


def verify(backup: Path) -> dict[str, Any]:
    """What a backup holds, once every byte of it was found to be what it was. Raises Unusable, which names the rest."""
    try:
        contents: dict[str, Any] = json.loads((backup / CONTENTS).read_text())
    except FileNotFoundError as error:
        raise Unusable(f"There is no whole backup in {backup}: {CONTENTS} is written last. Take another.") from error
    if contents["edition"] != EDITION:
        raise Unusable("This backup was made by another edition of the portal. Restore it with that one.")
    wrong = [] if _is(backup / DUMP, contents["database"]) else [DUMP]
    wrong += [file["key"] for file in contents["files"] if not _is(backup.parent / File(**file).path, file)]
    if wrong:
        raise Unusable(
            f"{len(wrong)} of its files are missing or changed: {', '.join(wrong[:10])}. Take another backup."
        )
    return contents


def restore(backup: Path) -> int:
    """Bring a backup into an empty database and store; how many files. Raises Unusable, before anything is written
    wherever that can be known. What an interrupted one left is done over: empty the database and begin again.
    """
    contents = verify(backup)
    with connection.cursor() as cursor:
        if connection.introspection.table_names(cursor):
            raise Unusable("The database is not empty. Restore into a new one, so that nothing is written over.")
    _postgres(
        "pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", str(backup / DUMP)
    )
    if (found := _counts()) != contents["database"]["rows"]:
        other = sorted(table for table in found if found[table] != contents["database"]["rows"].get(table))
        raise Unusable(f"The database came back with other numbers of rows: {', '.join(other)}.")
    for file in contents["files"]:
        _bring_back(File(**file), backup.parent)
    return len(contents["files"])


def _bring_back(file: File, folder: Path) -> None:
    with (folder / file.path).open("rb") as source:
        if file.store == "media":
            storage.default().put(file.key, source, content_type=file.content_type)
        else:
            default_storage.delete(file.key)
            default_storage.save(file.key, source)  # type: ignore[arg-type]
    with _open(file) as back:
        if hashlib.file_digest(back, "sha256").hexdigest() != file.sha256:  # type: ignore[arg-type]
            raise Unusable(f"{file.key} did not come back as it was. Does the store have room?")


# ---- Both ways


def _postgres(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs on our database. The password goes by the environment, which no list of
    processes shows. Raises Unusable with what the program said.
    """
    at = connection.settings_dict
    options = at["OPTIONS"]
    given = {"PGHOST": at["HOST"], "PGPORT": at["PORT"], "PGUSER": at["USER"], "PGPASSWORD": at["PASSWORD"]}
    given |= {
        "PGDATABASE": at["NAME"],
        "PGSSLMODE": options.get("sslmode"),
        "PGSSLROOTCERT": options.get("sslrootcert"),
    }
    target = ["--dbname", at["NAME"]] if program == "pg_restore" else []
    done = subprocess.run(
        [str(embedded_postgres.programs() / program), *target, *arguments],
        env={**os.environ, **{name: str(value) for name, value in given.items() if value}},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Unusable(f"{program} could not do its work: {done.stderr.strip()[-1000:]}")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _write(path: Path, body: bytes) -> None:
    beside = path.with_name(f"{path.name}.part")
    with open(beside, "wb", opener=_private) as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _is(path: Path, told: dict[str, Any]) -> bool:
    return _size(path) == told["size"] and _sha256(path) == told["sha256"]


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else -1


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
