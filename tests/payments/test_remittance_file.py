from typing import Any

import pytest

from candidates.models import User
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from payments import remittance_file
from payments.models import LedgerEntry, Remittance
from payments.remittance_file import Line
from tests.factories import make_payer
from tests.payments.conftest import NOW
from tests.payments.districts import billed, coach, status

pytestmark = [pytest.mark.django_db, pytest.mark.payment_case(69)]
HEAD = "payer,kind,number,amount,received_on,invoices\n"


def outcomes(of: Any, text: str, by: User) -> list[tuple[int, bool | None, str]]:
    return [(each.line, each.is_new, each.words) for each in of(remittance_file.read(text), by=by, at=NOW)]


def file_of(*lines: str) -> str:
    return HEAD + "".join(f"{line}\n" for line in lines)


def test_a_trial_says_what_will_happen_and_does_nothing(finance: User) -> None:
    ada = coach()
    billed([ada])
    text = file_of(
        "lakeside  school district,check,104417,450.00,2026-12-09,INV-2026-0001",
        ',ACH,T 9,"$1,200.00",12/08/2026,inv-2026-0001',
        "Lakeside School District,check,104417,450.00,2026-12-09,INV-2026-0001",
    )
    before = Message.objects.count()
    expected = [
        (2, True, "$400.00 USD for INV-2026-0001, $50.00 USD kept as the payer's credit."),
        (3, True, "$1,200.00 USD kept as the payer's credit."),
        (4, False, "Entered before. Nothing is done."),
    ]
    assert outcomes(remittance_file.try_out, text, finance) == expected
    assert (Remittance.objects.count(), LedgerEntry.objects.count(), status(ada)) == (0, 0, "po_committed")
    assert outcomes(remittance_file.enter, text, finance) == expected
    assert (Remittance.objects.count(), status(ada), Message.objects.count()) == (2, "paid", before + 1)


def test_the_same_file_twice_is_harmless(finance: User) -> None:
    billed([coach()])
    text = file_of("Lakeside School District,check,1,400,2026-12-09,INV-2026-0001")
    first, second = (outcomes(remittance_file.enter, text, finance) for _ in range(2))
    assert (first, second) == (
        [(2, True, "$400.00 USD for INV-2026-0001.")],
        [(2, False, "Entered before. Nothing is done.")],
    )


def test_a_bad_line_is_named_and_keeps_no_other(finance: User) -> None:
    billed([coach()])
    billed([coach()], payer=make_payer("Hillside"))
    text = file_of(
        "Nowhere District,check,1,400.00,2026-12-09,",
        ",check,1,400.00,2026-12-09,",
        "Hillside,check,1,400.00,2026-12-09,INV-2026-0001",
        ",check,1,400.00,2026-12-09,INV-2026-0001 INV-2026-0002",
        "Hillside,check,1,400.00,2026-12-09,INV-2026-0099",
        "Hillside,cash,1,400.00,2026-12-09,",
        "Hillside,check,1,four hundred,2026-12-09,",
        "Hillside,check,1,400.001,2026-12-09,",
        "Hillside,check,1,400.00,31/12/2026,",
        "Hillside,check,1,400.00,2026-12-24,",
        "Hillside,check,,400.00,2026-12-09,",
        f"Hillside,check,{'9' * 61},400.00,2026-12-09,",
        "Hillside,check,8,99999999.00,2026-12-09,",
        "Hillside,check,7,400.00,2026-12-09,INV-2026-0002",
        "Hillside,check,7,500.00,2026-12-09,INV-2026-0002",
    )
    amount = "In US dollars: 1200.00 or $1,200.00."
    assert outcomes(remittance_file.enter, text, finance) == [
        (2, None, "We know no payer called Nowhere District. Compare it with the list of payers."),
        (3, None, "Neither a payer nor an invoice is named."),
        (4, None, "The payer and the invoices named do not belong together."),
        (5, None, "The payer and the invoices named do not belong together."),
        (6, None, "We have no invoice INV-2026-0099 that stands."),
        (7, None, "kind: “cash” cannot be read. check or ach."),
        (8, None, f"amount: “four hundred” cannot be read. {amount}"),
        (9, None, f"amount: “400.001” cannot be read. {amount}"),
        (10, None, "received_on: “31/12/2026” cannot be read. 2027-01-15 or 01/15/2027."),
        (11, None, "This date has not come yet."),
        (12, None, "Enter the number of the check or the trace number of the transfer."),
        (13, None, "A check or trace number has at most 60 characters."),
        (14, None, f"amount: “99999999.00” cannot be read. {amount}"),
        (15, True, "$400.00 USD for INV-2026-0002."),
        (16, None, "Check 7 was entered before with another amount or date. Check the number of this one."),
    ]
    assert Remittance.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "The first line has to name the columns. Missing: kind, number, amount, received_on."),
        ("kind,number\n", "The first line has to name the columns. Missing: amount, received_on."),
        (HEAD + "a\0,check,1,1,2026-12-09,\n", "This is not a CSV file: it holds characters that no text has."),
        (HEAD, "It holds 0 lines; one to 2000 are possible."),
        (HEAD + "a,check,1,1,2026-12-09,\n" * 2001, "It holds 2001 lines; one to 2000 are possible."),
    ],
)
def test_what_is_no_such_file_is_refused(content: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        remittance_file.read(content)
    assert (refused.value.code, refused.value.message) == ("file-unreadable", words)


def test_files_of_spreadsheets_can_be_read() -> None:
    text = "Kind, NUMBER ,amount,received_on,payer,note\r\n\r\nach,9,1,2026-12-09,Peñasco,thanks\r\n"
    values = {
        "payer": "Peñasco",
        "kind": "ach",
        "number": "9",
        "amount": "1",
        "received_on": "2026-12-09",
        "invoices": "",
    }
    for encoding in ("utf-8", "utf-8-sig", "cp1252"):
        assert remittance_file.read(remittance_file.decoded(text.encode(encoding))) == [Line(3, values)]


def test_a_file_too_large_is_refused() -> None:
    with pytest.raises(Refused, match="larger than 1 MB"):
        remittance_file.decoded(b"x" * (1024 * 1024 + 1))


def test_the_template_is_a_file_that_can_be_read() -> None:
    (line,) = remittance_file.read(remittance_file.template())
    assert line == Line(2, dict(zip(remittance_file.COLUMNS, remittance_file.EXAMPLE, strict=True)))
