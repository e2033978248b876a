"""What every store does alike: on the portal's own disk and on a real S3 server, by what a browser does to each."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import SEEK_CUR, SEEK_END, BytesIO
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest
import requests

from portfolios import storage
from portfolios.storage import BadPart, LocalStore, Missing, Part, S3Store, SignedPart, StorageError, Store, Transfer
from tests.factories import at
from tests.object_store import ObjectStore
from tests.threads import run_at_once

NOON = at(2027, 5, 10, 12)
PART = 5 * 1024 * 1024  # no S3 server takes less, but for the last
BODY = Random(7).randbytes(2 * PART) + b"the last part"
CUTS = [BODY[:PART], BODY[PART : 2 * PART], BODY[2 * PART :]]
PARTS = [Part(number, len(cut), storage.digest(cut)) for number, cut in enumerate(CUTS, start=1)]
TREE = storage.tree([part.sha256 for part in PARTS])


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "local":
        yield LocalStore(tmp_path, lambda token: f"/uploads/part/{token}")
        return
    seaweed: ObjectStore = request.getfixturevalue("seaweed")
    yield seaweed.store
    seaweed.empty()


@pytest.fixture
def transfer(store: Store) -> Transfer:
    return store.create(f"uploads/{uuid4().hex}", size=len(BODY), part_size=PART, content_type="video/mp4")


def send(store: Store, transfer: Transfer, part: Part, body: bytes) -> Part:
    """As the browser does it: to the signed address, with the headers that came with it."""
    signed = store.sign(transfer, part, at=NOON)
    if not store.is_direct:
        return store.receive(*store.read_token(signed.url.rsplit("/", 1)[1], at=NOON), body)
    answer = put(signed, body)
    if answer.status_code != 200:
        raise BadPart(answer.text)
    return part


def put(signed: SignedPart, body: bytes, **headers: str) -> requests.Response:
    return requests.put(signed.url, data=body, headers={**signed.headers, **headers}, timeout=30)


def send_all(store: Store, transfer: Transfer) -> None:
    for part, cut in zip(PARTS, CUTS, strict=True):
        send(store, transfer, part, cut)


def listed(store: Store, transfer: Transfer) -> list[Part]:
    """What is complete's to name: the store's list, with the digests that were signed, as the rows know them."""
    held = store.list(transfer)
    if held is None:
        return PARTS
    return [Part(part.number, part.size, PARTS[part.number - 1].sha256, part.mark) for part in held]


def test_parts_in_any_order_and_twice_become_the_file(store: Store, transfer: Transfer) -> None:
    for number in (3, 1, 2, 1):
        assert send(store, transfer, PARTS[number - 1], CUTS[number - 1]) == PARTS[number - 1]
    parts = sorted(listed(store, transfer), key=lambda part: part.number)
    assert parts == PARTS
    for _ in range(2):
        store.complete(transfer, parts)
    with store.open(transfer.key) as file:
        assert file.read() == BODY
    assert store.size(transfer.key) == len(BODY)


@pytest.mark.media_case(13)
def test_what_is_complete_may_be_completed_by_who_does_not_know_it(store: Store, transfer: Transfer) -> None:
    """The portal died between the store's answer and its own row: the list is the rows' then."""
    send_all(store, transfer)
    store.complete(transfer, listed(store, transfer))
    assert store.list(transfer) is None
    store.complete(transfer, PARTS)
    assert store.size(transfer.key) == len(BODY)


@pytest.mark.media_case(13)
def test_three_complete_at_once(store: Store, transfer: Transfer) -> None:
    send_all(store, transfer)
    run_at_once(lambda: store.complete(transfer, listed(store, transfer)), times=3)
    assert store.size(transfer.key) == len(BODY)


@pytest.mark.media_case(24)
def test_same_part_by_three_at_once(store: Store, transfer: Transfer) -> None:
    send_all(store, transfer)
    run_at_once(lambda: send(store, transfer, PARTS[1], CUTS[1]), times=3)
    store.complete(transfer, listed(store, transfer))
    with store.open(transfer.key) as file:
        assert file.read() == BODY


@pytest.mark.media_case(7, 8)
@pytest.mark.parametrize(
    "body", [b"!" + CUTS[0][1:], CUTS[0][:-1], CUTS[0] + b"!", b""], ids=["altered", "short", "long", "empty"]
)
def test_wrong_bytes_are_refused_and_not_kept(store: Store, transfer: Transfer, body: bytes) -> None:
    with pytest.raises(BadPart):
        send(store, transfer, PARTS[0], body)
    assert store.list(transfer) in (None, [])
    with pytest.raises(BadPart):
        store.receive(transfer, PARTS[0], body)
    assert store.list(transfer) in (None, [])


def test_part_that_came_through_the_portal_is_proved_and_kept(store: Store, transfer: Transfer) -> None:
    assert [store.receive(transfer, Part(p.number, p.size, ""), cut) for p, cut in zip(PARTS, CUTS, strict=True)] == (
        PARTS
    )
    store.complete(transfer, listed(store, transfer))
    assert b"".join(store.open_range(transfer.key, 2 * PART, 13)) == b"the last part"


@pytest.mark.media_case(14)
def test_nothing_is_taken_after_the_end(store: Store, transfer: Transfer) -> None:
    send_all(store, transfer)
    store.complete(transfer, listed(store, transfer))
    with pytest.raises(StorageError):
        send(store, transfer, PARTS[0], CUTS[0])
    with pytest.raises(Missing):
        store.receive(transfer, PARTS[0], CUTS[0])


@pytest.mark.media_case(14)
def test_aborted_transfer_takes_nothing_more(store: Store, transfer: Transfer) -> None:
    send(store, transfer, PARTS[0], CUTS[0])
    for _ in range(2):
        store.abort(transfer)
    with pytest.raises(StorageError):
        send(store, transfer, PARTS[0], CUTS[0])
    for verb in (
        lambda: store.receive(transfer, PARTS[0], CUTS[0]),
        lambda: store.list(transfer),
        lambda: store.complete(transfer, PARTS),
        lambda: store.size(transfer.key),
    ):
        with pytest.raises(Missing):
            verb()


def test_abort_spares_what_is_complete(store: Store, transfer: Transfer) -> None:
    send_all(store, transfer)
    store.complete(transfer, listed(store, transfer))
    store.abort(transfer)
    assert store.size(transfer.key) == len(BODY)


def test_unfinished_are_those_of_the_prefix_begun_before(store: Store, transfer: Transfer) -> None:
    store.create("elsewhere/one", size=1, part_size=PART, content_type="")
    now = datetime.now(UTC)  # noqa: TID251  the store's own clock
    found = list(store.unfinished("uploads/", before=now + timedelta(minutes=1)))
    assert [(one.key, one.upload_id) for one in found] == [(transfer.key, transfer.upload_id)]
    assert list(store.unfinished("uploads/", before=now - timedelta(minutes=1))) == []
    assert list(store.unfinished("nowhere/", before=now + timedelta(minutes=1))) == []
    store.abort(found[0])
    assert list(store.unfinished("uploads/", before=now + timedelta(minutes=1))) == []


def test_files_of_our_own_are_put_over_what_was_there(store: Store) -> None:
    for body in (b"first", b"second"):
        file = BytesIO(b"skip" + body)
        file.seek(4)
        assert store.put("posters/one", file, content_type="image/jpeg") == len(body)
    with store.open("posters/one") as kept:
        assert kept.read() == b"second"
    for _ in range(2):
        store.delete("posters/one")
    with pytest.raises(Missing):
        store.size("posters/one")


def test_what_is_missing_has_a_name_for_it(store: Store) -> None:
    for ask in (store.size, store.open, lambda key: store.open_range(key, 0, 1)):
        with pytest.raises(Missing):
            ask("uploads/nothing")


def test_open_file_is_read_and_sought_in_like_any_other(store: Store) -> None:
    body = bytes(range(250)) * 10_000
    store.put("films/one", BytesIO(body), content_type="video/mp4")
    with store.open("films/one") as file:
        assert file.read(10) == body[:10]
        assert (file.seek(-5, SEEK_END), file.read()) == (len(body) - 5, body[-5:])
        assert (file.read(), file.read(3)) == (b"", b"")
        assert (file.seek(1_000_000), file.seek(5, SEEK_CUR), file.tell()) == (1_000_000, 1_000_005, 1_000_005)
        assert file.read(1_200_000) == body[1_000_005:2_200_005]
        assert (file.seek(len(body) + 10), file.read(1)) == (len(body) + 10, b"")
        assert (file.seek(0), file.read()) == (0, body)
        with pytest.raises((ValueError, OSError)):
            file.seek(-1)


@pytest.mark.parametrize(("start", "length"), [(0, 1), (0, 2_500_000), (2_499_999, 1), (1_048_570, 20), (7, 0)])
def test_ranges_are_exact(store: Store, start: int, length: int) -> None:
    body = bytes(range(250)) * 10_000
    store.put("films/one", BytesIO(body), content_type="video/mp4")
    assert b"".join(store.open_range("films/one", start, length)) == body[start : start + length]


def test_trees_agree(store: Store, transfer: Transfer) -> None:
    """The fingerprint of the whole is the same on both, and what the S3 server says of the object it made."""
    send_all(store, transfer)
    store.complete(transfer, listed(store, transfer))
    if isinstance(store, S3Store):
        found: Any = store.client.head_object(Bucket=store.bucket, Key=transfer.key, ChecksumMode="ENABLED")
        assert (found["ChecksumSHA256"], found["ContentType"]) == (TREE, "video/mp4")


def test_intact_is_what_came_in(store: Store, transfer: Transfer, tmp_path: Path) -> None:
    send_all(store, transfer)
    store.complete(transfer, listed(store, transfer))
    assert store.is_intact(transfer.key, fingerprint=TREE, part_size=PART)
    assert not store.is_intact(transfer.key, fingerprint=storage.tree([PARTS[0].sha256]), part_size=PART)
    store.put(transfer.key, BytesIO(BODY[:-1]), content_type="video/mp4")
    assert not store.is_intact(transfer.key, fingerprint=TREE, part_size=PART)
    path = store.path(transfer.key)
    assert path is None or path.read_bytes() == BODY[:-1]
    for ask in (store.path, lambda key: store.is_intact(key, fingerprint=TREE, part_size=PART)):
        with pytest.raises(Missing):
            ask("uploads/nothing")
