"""The store on the portal's own disk: what it keeps, what it refuses, what it says when the disk is full."""

import errno
import os
import resource
from datetime import timedelta
from io import SEEK_END, BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core import signing

from portfolios import storage
from portfolios.storage import BadPart, BadToken, DiskFull, LocalStore, Missing, Part, Transfer
from tests.factories import at

NOON = at(2027, 5, 10, 12)
KEY = "uploads/0123456789abcdef"
BODY = b"The whole file, in three parts."


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path, lambda token: f"/uploads/part/{token}")


@pytest.fixture
def transfer(store: LocalStore) -> Transfer:
    return store.create(KEY, size=len(BODY), part_size=12, content_type="application/pdf")


def parts_of(transfer: Transfer, body: bytes = BODY) -> list[tuple[Part, bytes]]:
    cuts = [body[n : n + transfer.part_size] for n in range(0, len(body), transfer.part_size)]
    return [(Part(n, len(cut), storage.digest(cut)), cut) for n, cut in enumerate(cuts, start=1)]


def test_parts_in_any_order_become_the_file(store: LocalStore, transfer: Transfer) -> None:
    parts = parts_of(transfer)
    assert [store.receive(transfer, part, cut) for part, cut in reversed(parts)] == [p for p, _ in reversed(parts)]
    for _ in range(2):
        store.complete(transfer, [part for part, _ in parts])
    assert store.size(KEY) == 31
    with store.open(KEY) as file:
        assert file.read() == BODY
    assert b"".join(store.open_range(KEY, 4, 5)) == b"whole"
    assert (transfer.part_count, [transfer.length_of(n) for n in (1, 2, 3)]) == (3, [12, 12, 7])


def test_tree_is_the_composite_that_s3_gives() -> None:
    """base64(sha256(concatenated part digests))-N; the value was computed with sha256sum and base64."""
    assert storage.digest(b"abc") == "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
    digests = [storage.digest(b"abc"), storage.digest(b"def")]
    assert storage.tree(digests) == "nATTAFe3VK8bLS1PVnV4LdYaWmWcNO5sKvR1JrZsr6Y=-2"


@pytest.mark.media_case(7, 8)
@pytest.mark.parametrize("body", [b"Not these 12", b"The whole", b"The whole file, and more"])
def test_wrong_bytes_are_refused_and_not_kept(store: LocalStore, transfer: Transfer, body: bytes) -> None:
    part, _ = parts_of(transfer)[0]
    with pytest.raises(BadPart):
        store.receive(transfer, part, body)
    assert (store.root / f"{KEY}.open").read_bytes() == bytes(len(BODY))


def test_part_without_a_digest_is_hashed_here(store: LocalStore, transfer: Transfer) -> None:
    part, cut = parts_of(transfer)[0]
    assert store.receive(transfer, Part(1, len(cut), ""), cut) == part


@pytest.mark.media_case(10)
def test_token_permits_one_part_until_it_expires(store: LocalStore, transfer: Transfer) -> None:
    part, _ = parts_of(transfer)[1]
    signed = store.sign(transfer, part, at=NOON)
    token = signed.url.removeprefix("/uploads/part/")
    assert (signed.number, signed.headers, signed.expires_at) == (2, {}, NOON + timedelta(hours=1))
    assert store.read_token(token, at=NOON + timedelta(minutes=59, seconds=59)) == (transfer, part)
    with pytest.raises(BadToken):
        store.read_token(token, at=signed.expires_at)


@pytest.mark.media_case(9)
@pytest.mark.parametrize("forge", [lambda t: t[:-1] + "x", lambda t: "x" + t[1:], lambda t: "", lambda t: "a:b:c"])
def test_forged_token_is_refused(store: LocalStore, transfer: Transfer, forge: Any) -> None:
    token = store.sign(transfer, parts_of(transfer)[0][0], at=NOON).url.removeprefix("/uploads/part/")
    with pytest.raises(BadToken):
        store.read_token(forge(token), at=NOON)


@pytest.mark.media_case(9)
def test_token_of_another_purpose_is_refused(store: LocalStore, transfer: Transfer) -> None:
    with pytest.raises(BadToken):
        store.read_token(signing.dumps([KEY, 1, 1, 1, "", 9**12], salt="elsewhere"), at=NOON)


def full(*args: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.media_case(21)
def test_full_disk_is_said_before_anything_is_sent(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(DiskFull):
        store.create(KEY, size=10, part_size=10, content_type="")
    assert list((store.root / "uploads").iterdir()) == []


@pytest.mark.media_case(20)
def test_full_disk_at_a_part(store: LocalStore, transfer: Transfer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(DiskFull):
        store.receive(transfer, *parts_of(transfer)[0])


@pytest.mark.media_case(20)
def test_device_without_room_is_a_full_disk(store: LocalStore, transfer: Transfer) -> None:
    """The kernel's own answer, not one of ours."""
    place = store.root / f"{KEY}.open"
    place.unlink()
    place.symlink_to("/dev/full")
    with pytest.raises(DiskFull):
        store.receive(transfer, *parts_of(transfer)[0])


@pytest.mark.media_case(21)
def test_file_larger_than_the_system_allows_is_a_full_disk(store: LocalStore) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(DiskFull):
            store.create(KEY, size=1_000_001, part_size=10, content_type="")
        assert list((store.root / "uploads").iterdir()) == []
        assert store.create(KEY, size=1_000_000, part_size=10, content_type="").part_count == 100_000
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.media_case(20)
def test_short_writes_are_continued(store: LocalStore, transfer: Transfer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is filling up may take less than it was given, without an error."""
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, view, offset: whole(fd, view[:5], offset))
    for part, cut in parts_of(transfer):
        store.receive(transfer, part, cut)
    assert (store.root / f"{KEY}.open").read_bytes() == BODY


@pytest.mark.media_case(14)
def test_aborted_transfer_takes_nothing_more(store: LocalStore, transfer: Transfer) -> None:
    for _ in range(2):
        store.abort(transfer)
    with pytest.raises(Missing):
        store.receive(transfer, *parts_of(transfer)[0])
    with pytest.raises(Missing):
        store.complete(transfer, [])
    assert list((store.root / "uploads").iterdir()) == []


@pytest.mark.parametrize("key", ["../outside", "uploads/../../outside", "/etc/passwd"])
def test_keys_cannot_leave_the_root(store: LocalStore, key: str) -> None:
    with pytest.raises(Missing):
        store.open(key)


def test_missing_files_have_a_name_for_it(store: LocalStore) -> None:
    for ask in (store.size, store.open):
        with pytest.raises(Missing):
            ask("uploads/nothing")
    store.delete("uploads/nothing")


def test_small_files_are_put_over_what_was_there(store: LocalStore) -> None:
    for body in (b"first", b"second"):
        assert store.put("posters/one", BytesIO(body), content_type="image/jpeg") == len(body)
    with store.open("posters/one") as file:
        assert file.seek(0, SEEK_END) == 6
    store.delete("posters/one")
    with pytest.raises(Missing):
        store.size("posters/one")
    assert store.url("posters/one", content_type="", filename="", at=NOON) is None


def test_store_knows_whether_a_file_is_intact(store: LocalStore, transfer: Transfer) -> None:
    parts = [store.receive(transfer, part, cut) for part, cut in parts_of(transfer)]
    store.complete(transfer, parts)
    known = {"fingerprint": storage.tree([part.sha256 for part in parts]), "part_size": transfer.part_size}
    assert store.is_intact(KEY, **known)  # type: ignore[arg-type]
    path = store.path(KEY)
    assert path == store.root / KEY
    for body in (BODY[:-1] + b"?", BODY + b"?", BODY[:-1], b""):
        path.write_bytes(body)
        assert not store.is_intact(KEY, **known)  # type: ignore[arg-type]
    store.delete(KEY)
    for ask in (lambda: store.path(KEY), lambda: store.is_intact(KEY, **known)):  # type: ignore[arg-type]
        with pytest.raises(Missing):
            ask()
