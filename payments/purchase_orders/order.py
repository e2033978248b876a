"""What is typed of an order, and what can be said of it without knowing who is on it."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from candidates.models import Cohort
from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from payments import attempts


@dataclass(frozen=True, slots=True)
class Order:
    """A purchase order as it is handed in. `document` is the PDF's bytes, its shape already checked by the form."""

    payer_name: str
    payer_email: str
    number: str
    issued_on: date
    amount: Money
    document: bytes
    bill_to: str = ""
    ship_to: str = ""
    valid_until: date | None = None


def normalise(number: str) -> str:
    """A number as it is compared: "PO 00123-a", "po#123A" and "123a" are one. "" when nothing is left of it."""
    plain = re.sub(r"[^A-Z0-9]", "", unicodedata.normalize("NFKC", number).upper())
    return re.sub(r"^PO(?=\d)", "", plain).lstrip("0")


def wrong(code: str, field: str, message: str) -> Refused:
    return Refused(code, message, fields={field: message})


def today(at: datetime) -> date:
    """The day of an instant in the programme's zone."""
    return at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def check(order: Order, price: Money, seats: int, cohort: Cohort, at: datetime) -> None:
    """Refused outside the cohort's window, or when number, dates or amount cannot be right."""
    attempts.check_window(cohort, at)
    _check_number(normalise(order.number))
    _check_days(order, today(at))
    check_amount(order.amount, price * seats, seats)


def check_amount(amount: Money, total: Money, seats: int) -> None:
    """The amount covers every seat. More is fine, and buys no more of them."""
    if amount.currency != total.currency:
        raise wrong("currency", "amount", f"The fee is in {total.currency}.")
    if amount < total:
        what = f"the whole fee of {total}" if seats == 1 else f"the fees of {seats} coaches, {total}"
        raise wrong("amount-short", "amount", f"The purchase order must cover {what}.")


def _check_number(number: str) -> None:
    if not number:
        raise wrong("number-empty", "number", "Enter the number as it is printed on the purchase order.")
    if number.startswith("REQ"):
        message = "This is a requisition number. Your district's office turns it into a purchase order with its own."
        raise wrong("number-requisition", "number", message)


def _check_days(order: Order, today: date) -> None:
    if order.issued_on > today:
        raise wrong("date-future", "issued_on", "This date has not come yet. Enter the date on the purchase order.")
    if order.valid_until is not None and order.valid_until < today:
        message = "By this date the purchase order has expired. Ask the district's office for a new one."
        raise wrong("expired", "valid_until", message)
