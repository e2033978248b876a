"""Checks and transfers from a file that finance keeps: tried first, then entered, line by line.

A trial enters every line by the same verb and takes all of it back, so that what it says is what will happen. Each line
stands for itself: a bad one is named and keeps no other from being entered, and the same file a second time finds
everything entered already.
"""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from io import StringIO
from typing import Any

from django.db import transaction

from icg_cert.lib.money import Money
from icg_cert.lib.refusal import Refused
from payments import remittances
from payments.models import Invoice, Payer, Remittance
from payments.payers import normalise

# Column to what stands in it. The order is that of the template.
COLUMNS = {
    "payer": "Name of the district or organisation as we know it. May be empty where an invoice is named.",
    "kind": "check or ach",
    "number": "Number of the check, or trace number of the transfer",
    "amount": "In US dollars: 1200.00 or $1,200.00",
    "received_on": "2027-01-15 or 01/15/2027",
    "invoices": "Our invoice numbers, with a space between several. Empty: all of it is kept as the payer's credit.",
}
EXAMPLE = ["Lakeside School District", "check", "104417", "1200.00", "2027-01-15", "INV-2026-0001 INV-2026-0002"]
MAX_BYTES, MAX_LINES = 1024 * 1024, 2000
KINDS = {"check": Remittance.Kind.CHECK, "cheque": Remittance.Kind.CHECK, "ach": Remittance.Kind.ACH}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file, `number` as an editor counts it."""

    number: int
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a line, or would. `is_new` is None where it was refused, and `words` then say why."""

    line: int
    is_new: bool | None
    words: str
    payer: str = ""
    what: str = ""
    money: Money | None = None


def template() -> str:
    """A file to begin with: the head and an example."""
    out = StringIO()
    csv.writer(out).writerows([list(COLUMNS), EXAMPLE])
    return out.getvalue()


def decoded(content: bytes) -> str:
    """The text of a file as spreadsheets save it."""
    if len(content) > MAX_BYTES:
        raise _unreadable("This file is larger than 1 MB. Split it into smaller ones.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def read(text: str) -> list[Line]:
    """Its lines without the empty ones. Refused when it is no such file at all."""
    if "\0" in text:
        raise _unreadable("This is not a CSV file: it holds characters that no text has.")
    rows = csv.reader(StringIO(text))
    try:
        head = [name.strip().lower() for name in next(rows, [])]
        missing = [name for name in COLUMNS if name not in head and name not in ("payer", "invoices")]
        if missing:
            raise _unreadable(f"The first line has to name the columns. Missing: {', '.join(missing)}.")
        lines = [_line(rows.line_num, head, row) for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise _unreadable(f"This is not a CSV file: {error}.") from error
    if not lines or len(lines) > MAX_LINES:
        raise _unreadable(f"It holds {len(lines)} lines; one to {MAX_LINES} are possible.")
    return lines


def try_out(lines: list[Line], *, by: Any, at: datetime) -> list[Outcome]:
    """What entering would do. Nothing of it stays."""
    with transaction.atomic():
        outcomes = enter(lines, by=by, at=at)
        transaction.set_rollback(True)
    return outcomes


def enter(lines: list[Line], *, by: Any, at: datetime) -> list[Outcome]:
    """Enter what can be entered."""
    return [_outcome(line, by, at) for line in lines]


def _outcome(line: Line, by: Any, at: datetime) -> Outcome:
    try:
        with transaction.atomic():
            return _enter(line, by, at)
    except Refused as refusal:
        return Outcome(line.number, None, refusal.message, payer=line.values["payer"])


def _enter(line: Line, by: Any, at: datetime) -> Outcome:
    invoices = list(_invoices(line.values["invoices"]))
    payer = _payer(line.values["payer"], invoices)
    fields = {
        "kind": _read("kind", line, lambda typed: KINDS[typed.lower()]),
        "number": line.values["number"],
        "amount": _read("amount", line, _amount),
        "received_on": _read("received_on", line, _day),
    }
    entered_before = set(payer.remittances.values_list("pk", flat=True))
    row = remittances.enter(payer.pk, **fields, invoices=[invoice.pk for invoice in invoices], by=by, at=at)
    is_new = row.pk not in entered_before
    words = _words(row) if is_new else "Entered before. Nothing is done."
    return Outcome(line.number, is_new, words, payer=payer.name, what=str(row), money=row.money)


def _line(number: int, head: list[str], row: list[str]) -> Line:
    cells = dict(zip(head, (cell.strip() for cell in row), strict=False))
    return Line(number, {name: cells.get(name, "") for name in COLUMNS})


def _invoices(typed: str) -> Iterator[Invoice]:
    for number in re.split(r"[\s;,]+", typed.upper()):
        if number:
            invoice = Invoice.objects.standing().select_related("order__payer").filter(number=number).first()
            if invoice is None:
                raise Refused("invoice-unknown", f"We have no invoice {number} that stands.")
            yield invoice


def _payer(name: str, invoices: list[Invoice]) -> Payer:
    payers = {invoice.order.payer for invoice in invoices}
    if name:
        payers.add(_named(name))
    if not payers:
        raise Refused("payer-missing", "Neither a payer nor an invoice is named.")
    if len(payers) > 1:
        raise Refused("payers-differ", "The payer and the invoices named do not belong together.")
    return payers.pop()


def _named(name: str) -> Payer:
    payer = Payer.objects.filter(name_normalised=normalise(name)).first()
    if payer is None:
        raise Refused("payer-unknown", f"We know no payer called {name}. Compare it with the list of payers.")
    return payer


def _read(column: str, line: Line, how: Callable[[str], Any]) -> Any:
    typed = line.values[column]
    try:
        return how(typed)
    except (ValueError, KeyError, InvalidOperation) as error:
        message = f"{column}: “{typed}” cannot be read. {COLUMNS[column]}."
        raise Refused("cell-unreadable", message) from error


def _amount(typed: str) -> Money:
    plain = typed.removeprefix("$").replace(",", "").strip()
    if not re.fullmatch(r"\d{1,7}(\.\d{1,2})?", plain):
        raise ValueError(typed)
    return Money.of(Decimal(plain))


def _day(typed: str) -> date:
    american = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", typed)
    if american:
        month, day, year = map(int, american.groups())
        return date(year, month, day)
    return date.fromisoformat(typed)


def _words(row: Remittance) -> str:
    """Where the money goes."""
    numbers = dict(Invoice.objects.standing().filter(order__payer=row.payer_id).values_list("order", "number"))
    parts: dict[str, Money] = {}
    for given in row.allocations.standing().select_related("seat").order_by("pk"):
        number = numbers[given.seat.order_id]
        parts[number] = parts.get(number, Money(0, given.currency)) + given.money
    left = Remittance.objects.with_left().get(pk=row.pk).left
    said = [f"{money} for {number}" for number, money in parts.items()]
    return ", ".join(said + ([f"{left} kept as the payer's credit"] if left else [])) + "."


def _unreadable(message: str) -> Refused:
    return Refused("file-unreadable", message, fields={"file": message})
