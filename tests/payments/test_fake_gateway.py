from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from icg_cert.lib.money import Money
from payments.gateways import fake
from payments.gateways.base import BadSignature, Checkout, Facts, Ref, Rejected, Standing, Txn
from payments.gateways.fake import FakeGateway
from tests.factories import MICROSECOND
from tests.payments.conftest import NOW
from tests.threads import run_all_at_once

ENDS = NOW + timedelta(minutes=32)


@pytest.fixture
def gateway(settings: Any, tmp_path: Path) -> FakeGateway:
    settings.VAR_DIR = tmp_path
    return FakeGateway()


@pytest.fixture
def checkout() -> Checkout:
    return Checkout(uuid4(), uuid4().hex, Money(40000), "Fee", "ada@example.org", "http://x/back/", ENDS)


def ref(gateway: FakeGateway, checkout: Checkout) -> str:
    return gateway.open(checkout, at=NOW).ref.ref


def test_open_twice_with_a_key_is_one_page(gateway: FakeGateway, checkout: Checkout) -> None:
    first = gateway.open(checkout, at=NOW)
    assert gateway.open(checkout, at=NOW + timedelta(hours=1)) == first
    assert first.expires_at == ENDS
    assert gateway.open(replace(checkout, key="another"), at=NOW).url != first.url


@pytest.mark.parametrize("change", [{"amount": Money(1)}, {"attempt_id": uuid4()}])
def test_open_with_a_used_key_for_something_else_is_rejected(
    gateway: FakeGateway, checkout: Checkout, change: dict[str, Any]
) -> None:
    gateway.open(checkout, at=NOW)
    with pytest.raises(Rejected):
        gateway.open(replace(checkout, **change), at=NOW)


def test_fetch_of_what_never_arrived_is_nothing(gateway: FakeGateway, checkout: Checkout) -> None:
    assert gateway.fetch(checkout, at=NOW) == Facts(Standing.NOTHING, NOW)


def test_fetch_tells_the_whole_truth(gateway: FakeGateway, checkout: Checkout) -> None:
    name = ref(gateway, checkout)
    fake.decide(name, Standing.PAID, at=NOW + MICROSECOND)
    assert gateway.fetch(checkout, at=ENDS) == Facts(
        Standing.PAID,
        ENDS,
        attempt_id=checkout.attempt_id,
        amount=Money(40000),
        txns=(Txn("charge", f"charge_{name}", Money(40000), NOW + MICROSECOND),),
        refs=(Ref("session", name),),
        account="demo",
    )


@pytest.mark.parametrize(("when", "status"), [(ENDS - MICROSECOND, "open"), (ENDS, "expired")])
def test_a_page_takes_money_until_its_last_microsecond(
    gateway: FakeGateway, checkout: Checkout, when: Any, status: str
) -> None:
    name = ref(gateway, checkout)
    assert gateway.fetch(checkout, at=when).status == status
    fake.decide(name, Standing.PAID, at=when)
    assert gateway.fetch(checkout, at=when).status == ("paid" if status == "open" else "expired")


@pytest.mark.parametrize("first", [Standing.PAID, Standing.FAILED, Standing.CLOSED])
@pytest.mark.parametrize("then", [Standing.PAID, Standing.FAILED, Standing.CLOSED])
def test_what_is_decided_stays(gateway: FakeGateway, checkout: Checkout, first: Standing, then: Standing) -> None:
    name = ref(gateway, checkout)
    fake.decide(name, first, at=NOW)
    fake.decide(name, then, at=NOW)
    assert gateway.close(checkout, at=NOW).status == first


def test_deciding_at_once_is_decided_once(gateway: FakeGateway, checkout: Checkout) -> None:
    name = ref(gateway, checkout)
    wishes = [Standing.PAID, Standing.FAILED] * 4
    pages = run_all_at_once([lambda wish=wish: fake.decide(name, wish, at=NOW) for wish in wishes])
    assert len({page.status for page in pages}) == 1  # type: ignore[union-attr]


def test_recent_tells_what_changed_since(gateway: FakeGateway, checkout: Checkout) -> None:
    early, late = checkout, replace(checkout, key="late", attempt_id=uuid4())
    gateway.open(early, at=NOW)
    gateway.open(late, at=NOW)
    fake.decide(ref(gateway, late), Standing.PAID, at=NOW + timedelta(minutes=1))
    changed = [facts.attempt_id for facts in gateway.recent(NOW + MICROSECOND, at=ENDS)]
    assert changed == [late.attempt_id]
    assert len(list(gateway.recent(NOW, at=ENDS))) == 2


def test_it_sends_no_events(gateway: FakeGateway) -> None:
    with pytest.raises(BadSignature):
        gateway.authenticate(b"{}", {}, at=NOW)


@pytest.mark.parametrize("name", ["", "../settings", "lock", "a/b", "0" * 32])
def test_a_name_never_given_out_is_no_page(gateway: FakeGateway, name: str) -> None:
    assert fake.page(name) is None
