"""Seat codes: what they are made of, and how they are found."""

from typing import Any

from payments import seat_codes
from payments.models import PurchaseOrder
from tests.payments.seated import Coach, claim, codes


def test_a_code_is_made_of_nonce_and_key_and_found_however_typed(bulk: PurchaseOrder) -> None:
    seat = bulk.seats.order_by("pk").first()
    assert seat is not None
    code = seat_codes.shown(seat)
    assert [len(part) for part in code.split("-")] == [4, 4, 4]
    for typed in (code, code.lower(), code.replace("-", " "), code.replace("-", ""), code.replace("O", "0")):
        assert seat_codes.fingerprint(typed) == seat.code_sha256


def test_codes_outlive_a_change_of_the_key(bulk: PurchaseOrder, coach: Coach, settings: Any) -> None:
    before, old = codes(bulk), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new key", [old]
    assert codes(bulk) == before
    settings.SECRET_KEY_FALLBACKS = []
    assert codes(bulk) == ["", "", ""]
    assert claim(coach(), before[0]).order == bulk
