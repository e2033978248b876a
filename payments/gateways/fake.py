"""A provider for the demo and the tests: a hosted page with Pay, Decline and Cancel, and no money.

It behaves like a real one where that matters. It keeps its own state in files, outside our database, so that our
rollback or crash does not undo what "the bank" did; opening is idempotent by key; `fetch` tells the truth.
`settings.PAYMENT_FAKE_GATEWAY` switches it on; without that it cannot be made.
"""

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from django.utils.crypto import salted_hmac

from icg_cert.lib.money import Money
from payments.gateways.base import (
    BadSignature,
    Checkout,
    Facts,
    InboundEvent,
    Redirect,
    Ref,
    Rejected,
    Return,
    Standing,
    Txn,
)

DECLINED = "The bank declined the card."


@dataclass(frozen=True, slots=True)
class Page:
    """One hosted page as its file holds it: JSON values only, instants in ISO 8601."""

    ref: str
    key: str
    attempt_id: str
    amount_minor: int
    currency: str
    description: str
    return_url: str
    opened_at: str
    expires_at: str
    status: str = Standing.OPEN
    changed_at: str = ""

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)

    def standing(self, at: datetime) -> Standing:
        is_late = self.status == Standing.OPEN and at >= datetime.fromisoformat(self.expires_at)
        return Standing.EXPIRED if is_late else Standing(self.status)


class FakeGateway:
    name = "fake"
    label = "Pay by card (demo)"
    hint = "A practice page. No card is asked for and no money moves."
    livemode = False
    account = "demo"

    def __init__(self) -> None:
        if not settings.PAYMENT_FAKE_GATEWAY:
            raise ImproperlyConfigured("The fake gateway confirms fees without money: PAYMENT_FAKE_GATEWAY is off.")

    def open(self, checkout: Checkout, *, at: datetime) -> Redirect:
        ref = _ref(checkout.key)
        with _locked():
            page = _read(ref) or _write(_new_page(ref, checkout, at))
        if (page.attempt_id, page.money) != (str(checkout.attempt_id), checkout.amount):
            raise Rejected("the key was used for something else")
        # A path, because this page hangs on our own site, by whichever name the payer came to it.
        url = reverse("payments:fake-page", args=[ref])
        return Redirect(Ref("session", ref), url, datetime.fromisoformat(page.expires_at))

    def fetch(self, checkout: Checkout, *, at: datetime) -> Facts:
        return _facts(_read(_ref(checkout.key)), at)

    def finalize(self, checkout: Checkout, *, at: datetime) -> Facts:
        return self.fetch(checkout, at=at)

    def close(self, checkout: Checkout, *, at: datetime) -> Facts:
        return _facts(decide(_ref(checkout.key), Standing.CLOSED, at=at), at)

    def refund(self, checkout: Checkout, back: Return, *, at: datetime) -> Facts:
        raise Rejected("this provider gives nothing back")

    def authenticate(self, body: bytes, headers: Mapping[str, str], *, at: datetime) -> InboundEvent:
        raise BadSignature("this provider sends no events")

    def recent(self, since: datetime, *, at: datetime) -> Iterator[Facts]:
        for path in sorted(_folder().glob("*.json")):
            page = Page(**json.loads(path.read_text()))
            if datetime.fromisoformat(page.changed_at or page.opened_at) >= since:
                yield _facts(page, at)


def page(ref: str) -> Page | None:
    """The hosted page of that name; None for a name never given out."""
    return _read(ref)


def decide(ref: str, status: Standing, *, at: datetime) -> Page | None:
    """What the payer (or we, closing) decided on an open page; a page already decided or expired stays as it is."""
    with _locked():
        found = _read(ref)
        if found is None or found.standing(at) != Standing.OPEN:
            return found
        return _write(replace(found, status=str(status), changed_at=at.isoformat()))


def _ref(key: str) -> str:
    """Derived from the key, so that asking again finds the same page; unguessable without our secret."""
    return salted_hmac("payments.gateways.fake", key, algorithm="sha256").hexdigest()[:32]


def _new_page(ref: str, checkout: Checkout, at: datetime) -> Page:
    return Page(
        ref=ref,
        key=checkout.key,
        attempt_id=str(checkout.attempt_id),
        amount_minor=checkout.amount.minor,
        currency=checkout.amount.currency,
        description=checkout.description,
        return_url=checkout.return_url,
        opened_at=at.isoformat(),
        expires_at=checkout.expires_at.isoformat(),
    )


def _facts(page: Page | None, at: datetime) -> Facts:
    if page is None:
        return Facts(Standing.NOTHING, at)
    status = page.standing(at)
    charge = Txn("charge", f"charge_{page.ref}", page.money, datetime.fromisoformat(page.changed_at or page.opened_at))
    return Facts(
        status,
        at,
        attempt_id=UUID(page.attempt_id),
        amount=page.money,
        txns=(charge,) if status == Standing.PAID else (),
        refs=(Ref("session", page.ref),),
        account=FakeGateway.account,
        problem=DECLINED if status == Standing.FAILED else "",
    )


def _folder() -> Path:
    folder = Path(settings.VAR_DIR) / "fake-gateway"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _locked() -> Iterator[None]:
    with (_folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read(ref: str) -> Page | None:
    if not ref.isalnum():
        return None
    try:
        return Page(**json.loads((_folder() / f"{ref}.json").read_text()))
    except FileNotFoundError:
        return None


def _write(page: Page) -> Page:
    path = _folder() / f"{page.ref}.json"
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(asdict(page)))
    temporary.replace(path)
    return page
