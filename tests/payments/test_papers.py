"""What the printed papers say, read as a clerk's search would: by pdftotext."""

import re
import subprocess
from datetime import date
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from django.core.files.storage import default_storage

from candidates.models import User
from icg_cert.lib.money import Money
from payments import invoices, papers
from payments.models import LedgerEntry
from tests.factories import make_cohort, make_payer, make_vendor
from tests.payments.conftest import NOW
from tests.payments.districts import billed, coach, document_of, pay

pytestmark = [pytest.mark.django_db, pytest.mark.payment_case(73), pytest.mark.requires("pdftotext")]
NAMES = [
    "Željko Đorđević-Þórsdóttir",
    "Ольга Ковальчук",
    "Νίκος Παπαδόπουλος",
    "Nguyễn Thị Ánh",
]
LONG = "Maximiliana Wolfeschlegelsteinhausenbergerdorff de la Santísima Trinidad"


def text_of(document: bytes, tmp_path: Path, *options: str) -> str:
    file = tmp_path / "paper.pdf"
    file.write_bytes(document)
    command = ["pdftotext", *options, str(file), "-"]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


def words(text: str) -> str:
    """Without what only says where a line may break."""
    return " ".join(text.replace("\u200b", "").split())


def test_the_total_of_the_paper_is_the_sum_of_its_lines_and_of_the_ledger(finance: User, tmp_path: Path) -> None:
    invoice = billed([coach() for _ in range(12)])
    pay(invoice.order.payer, finance, 480000, invoice)
    said = text_of(document_of(invoice), tmp_path, "-layout")
    lines = re.findall(r"^\s*(\d+)\s+Coach certification fee.*\s1\s+\$400\.00\s+\$400\.00$", said, re.MULTILINE)
    moved = LedgerEntry.objects.filter(kind="transfer", payer=None).values_list("amount_minor", flat=True)
    assert lines == [str(number) for number in range(1, 13)]
    assert re.findall(r"Amount due\s+(\S+ USD)$", said, re.MULTILINE) == [str(Money(sum(moved)))]
    assert re.findall(r"Subtotal\s+(\S+)$", said, re.MULTILINE) == ["$4,800.00"]
    assert re.findall(r"No sales tax is charged\.\s+(\S+)$", said, re.MULTILINE) == ["$0.00"]


def test_letters_of_all_scripts_are_printed(tmp_path: Path) -> None:
    payer = make_payer("Peñasco Independent Schools „Škola“ & Co.")
    invoice = billed([coach(name) for name in NAMES], payer=payer)
    said = words(text_of(document_of(invoice), tmp_path))
    assert [name for name in (*NAMES, payer.name) if name not in said] == []


def test_a_long_name_breaks_and_is_there_whole(tmp_path: Path) -> None:
    said = text_of(document_of(billed([coach(LONG)])), tmp_path, "-raw")
    assert LONG.replace(" ", "") in re.sub(r"\s", "", said.replace("\u200b", ""))


def test_forty_seats_go_over_pages_with_the_head_of_the_table_on_each(tmp_path: Path) -> None:
    document = document_of(billed([*(coach(f"Coach Number {n}") for n in range(1, 31)), *[None] * 10]))
    pages = text_of(document, tmp_path, "-layout").split("\f")[:-1]
    numbers = [n for page in pages for n in re.findall(r"^\s*(\d+)\s+Coach certification fee", page, re.MULTILINE)]
    assert numbers == [str(number) for number in range(1, 41)]
    assert [("Unit price" in page, f"page {n} of {len(pages)}" in page) for n, page in enumerate(pages, 1)] == [
        (True, True)
    ] * len(pages)
    assert "$16,000.00 USD" in pages[-1]
    assert sum(page.count("to be named") for page in pages) == 10


def test_papers_are_tagged_for_readers_of_the_screen() -> None:
    with pikepdf.open(BytesIO(document_of(billed([coach(NAMES[0])])))) as opened:
        assert (str(opened.Root.Lang), bool(opened.Root.MarkInfo.Marked)) == ("en", True)
        assert str(opened.docinfo["/Title"]) == "Invoice INV-2026-0001"


def test_a_name_without_a_font_still_makes_a_paper(tmp_path: Path) -> None:
    said = text_of(document_of(billed([coach("สมชาย ใจดี")])), tmp_path)
    assert "INV-2026-0001" in said


def missing(said: str, *facts: str) -> list[str]:
    return [fact for fact in facts if fact not in said]


def test_the_invoice_shows_what_a_clerk_looks_for(tmp_path: Path) -> None:
    invoice = billed([coach("Ada Abara")], number="PO 4711-A")
    said = words(text_of(document_of(invoice), tmp_path))
    labels = ["Invoice number", "Invoice date", "Due", "Your purchase order", "Amount due", "Bill to", "Ship to"]
    facts = ["INV-2026-0001", "10 December 2026", "9 January 2027", "PO 4711-A", "$400.00 USD", "Terms: Net 30 days"]
    places = ["Accounts Payable 1 Main Street", "Lakeside Elementary 12 Lake Road Attention: Connie Contact"]
    ways = ["PO Box 100", "Routing 000000000", "quote our invoice number INV-2026-0001 on your check or transfer."]
    assert missing(said, *labels, *facts, *places, *ways, "For Ada Abara", "certification process 2027 to 2029") == []


def test_the_credit_note_names_its_invoice(tmp_path: Path) -> None:
    invoice = billed([None, None])
    note = invoices.credit(invoice.order, invoice.order.seats.all()[:1], reason="Not taken.", by=None, at=NOW)
    assert note is not None
    said = words(text_of(document_of(note), tmp_path))
    assert missing(said, "CN-2026-0001", "no longer owed on invoice INV-2026-0001", "$400.00 USD", "Not taken.") == []


def test_the_quote_says_what_it_costs_and_how_to_order(tmp_path: Path) -> None:
    make_vendor()
    paper = papers.quote(
        number="Q-2026-0001",
        on=date(2026, 12, 10),
        valid_until=date(2027, 1, 31),
        payer_name="Lakeside School District",
        contact_name="Connie Contact",
        contact_email="connie@example.org",
        cohort=make_cohort(),
        seats=12,
        price=Money(40000),
    )
    assert paper.content["lines"] == [
        {
            "what": "Coach certification fee, cohort 10 (2026)",
            "coach": "",
            "quantity": 12,
            "price": "$400.00",
            "amount": "$4,800.00",
        }
    ]
    assert (paper.content["total"], paper.content["places"]) == ("$4,800.00 USD", "12 in cohort 10 (2026)")
    with default_storage.open(paper.document) as file:
        said = words(text_of(file.read(), tmp_path))
    facts = ["Q-2026-0001", "31 January 2027", "12 in cohort 10 (2026)", "$4,800.00 USD", "Connie Contact"]
    assert missing(said, *facts, "A requisition number is not enough.") == []
