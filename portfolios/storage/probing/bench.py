"""What a store is tried out with, and how a check is made."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import requests

from portfolios.storage.base import BadPart, BadToken, Missing, Part, SignedPart, StorageError, Transfer, digest

PREFIX = "probe/"
PART = 5 * 1024 * 1024  # the least an S3 server takes
SHORT = timedelta(seconds=1)
SECONDS = 30
OK, DAMAGED, FORBIDDEN, GONE = 200, 400, 403, 404
REFUSED = (DAMAGED, FORBIDDEN)


class Bench:
    """A transfer of three parts under a name of its own, and what is done to it. `store` is Any: each store's own
    checks look at what it alone has.
    """

    def __init__(self, store: Any, *, origin: str, largest: int, at: datetime) -> None:
        self.store = store
        self.origin = origin
        self.largest = largest
        self.at = at
        self.key = f"{PREFIX}{uuid4().hex}"
        self.made = f"{self.key}-made"
        self.bodies = [os.urandom(PART), os.urandom(PART), b"the last part"]
        self.parts = [Part(number, len(body), digest(body)) for number, body in enumerate(self.bodies, start=1)]
        self.body = b"".join(self.bodies)
        self.begun: list[Transfer] = []

    def begin(self) -> Transfer:
        self.begun.append(self.store.create(self.key, size=len(self.body), part_size=PART, content_type="video/mp4"))
        return self.begun[-1]

    @property
    def transfer(self) -> Transfer:
        return self.begun[0]

    def sign(self, number: int) -> SignedPart:
        return self._signed_by(self.store, number)

    def sign_for_a_moment(self) -> None:
        """Addresses for a second: how to send the first part, and where to read the file once it is there."""
        hasty = replace(self.store, lifetime=SHORT)
        self.old_part, self.old_url = self._signed_by(hasty, 1), self.url(hasty)
        self._over_at = monotonic() + 2 * SHORT.total_seconds()

    def wait_until_it_is_over(self) -> None:
        while (left := self._over_at - monotonic()) > 0:
            sleep(left)

    def _signed_by(self, store: Any, number: int) -> SignedPart:
        signed: SignedPart = store.sign(self.transfer, self.parts[number - 1], at=self.at)
        return signed

    def url(self, store: Any = None) -> str:
        named = {"content_type": "video/mp4", "filename": "probe.mp4"}
        return (store or self.store).url(self.key, **named, at=self.at) or ""

    def send(self, signed: SignedPart, body: bytes, *, at: datetime | None = None) -> int:
        """The status a browser would see."""
        if self.store.is_direct:
            return requests.put(signed.url, data=body, headers=signed.headers, timeout=SECONDS).status_code
        try:
            self.store.receive(*self.store.read_token(signed.url.rsplit("/", 1)[1], at=at or self.at), body)
        except BadToken:
            return FORBIDDEN
        except BadPart:
            return DAMAGED
        except Missing:
            return GONE
        return OK

    def send_all(self, *numbers: int) -> bool:
        return all(self.send(self.sign(number), self.bodies[number - 1]) == OK for number in numbers)

    def arrived(self) -> list[Part]:
        """What complete is given: the store's list with the digests that were signed, else what the rows would say."""
        held = self.store.list(self.transfer)
        if held is None:
            return self.parts
        return [replace(part, sha256=self.parts[part.number - 1].sha256) for part in held]

    def clean_up(self) -> None:
        for transfer in self.begun:
            with suppress(StorageError):
                self.store.abort(transfer)
        for key in (self.key, self.made):
            with suppress(StorageError):
                self.store.delete(key)


@dataclass(frozen=True, slots=True)
class Check:
    """`holds` says whether `what` is so; `lack` what it means if not. Some are needed, others only a loss; without the
    ground there is nothing to try.
    """

    what: str
    lack: str
    holds: Callable[[Bench], bool]
    is_needed: bool = True
    is_ground: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """`trouble` is what the store said where a check could not be made."""

    check: Check
    holds: bool
    trouble: str = ""


def run(bench: Bench, checks: Sequence[Check]) -> Iterator[Finding]:
    try:
        for check in checks:
            yield (finding := _tried(bench, check))
            if check.is_ground and not finding.holds:
                return
    finally:
        bench.clean_up()


def _tried(bench: Bench, check: Check) -> Finding:
    try:
        return Finding(check, check.holds(bench))
    except (StorageError, requests.RequestException, OSError, LookupError) as error:
        return Finding(check, False, f"{type(error).__name__}: {error.__cause__ or error}")


def forged(url: str) -> str:
    """The same address with another signature."""
    return url[:-1] + ("a" if url[-1] != "a" else "b")
