"""Trying out a store: does it do what the portal stands on? For servers that nobody has tried yet.

The checks go from the first to the last, for they use one transfer, and leave nothing behind. Knows no Django.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from portfolios.storage.base import Store
from portfolios.storage.local import LocalStore
from portfolios.storage.probing import alike, bucket, disk
from portfolios.storage.probing.bench import Bench, Check, Finding, run
from portfolios.storage.s3 import S3Store

__all__ = ["Check", "Finding", "probe"]


def probe(store: Store, *, origin: str, largest: int, at: datetime) -> Iterator[Finding]:
    """A finding for each check, as it is made. `origin` is the portal's as browsers name it, `largest` the bytes of
    the largest file it takes.
    """
    return run(Bench(store, origin=origin, largest=largest, at=at), _checks(store))


def _checks(store: Store) -> Sequence[Check]:
    if isinstance(store, S3Store):
        proofs = alike.PROOFS if store.has_checksums else bucket.PROOFS_ARE_LATER
        own = bucket.DIGESTS if store.has_checksums else []
        middle = [*alike.ARRIVING, *bucket.ARRIVING, *proofs, *alike.REFUSING, *own]
        return [*bucket.BEFORE, *middle, *alike.FINISHING, *bucket.READING, *bucket.SET_UP, alike.FORGETTING]
    own = disk.CHECKS if isinstance(store, LocalStore) else []
    return [*alike.ARRIVING, *alike.PROOFS, *alike.REFUSING, *alike.FINISHING, *own, alike.FORGETTING]
