from typing import Any

import pytest

from candidates.models import PolicyText, Registration
from payments import acceptance, receipts
from payments.overview import Overview
from tests.factories import make_ledger_entry
from tests.payments.conftest import LATER, NOW


def test_content_is_what_the_ledger_holds(unpaid: Registration, policy: PolicyText) -> None:
    acceptance.accept_for(unpaid.pk, policy.pk, by=unpaid.user, at=NOW)
    make_ledger_entry(unpaid, occurred_at=NOW)
    make_ledger_entry(unpaid, kind="po_money", provider="po", amount_minor=100, occurred_at=NOW + LATER)
    make_ledger_entry(unpaid, kind="refund", amount_minor=-100, occurred_at=NOW + 2 * LATER)
    make_ledger_entry(None)
    assert receipts.content(Overview(unpaid, NOW)) == {
        "number": f"2026-{unpaid.pk:05}",
        "programme": "ICG Certification",
        "contact": "certification@example.org",
        "name": "Ada Abara",
        "employer": "Lakeside School District",
        "what": "Certification fee, cohort 10 (2026)",
        "fee": "$400.00 USD",
        "lines": [
            {"on": "10 December 2026", "what": "Paid by fake", "amount": "$400.00 USD"},
            {"on": "10 December 2026", "what": "Paid on purchase order", "amount": "$1.00 USD"},
            {"on": "10 December 2026", "what": "Refund", "amount": "-$1.00 USD"},
        ],
        "balance": "$400.00 USD",
        "policy": "The fee is not refundable (policy accepted on 10 December 2026).",
    }


@pytest.mark.parametrize("rows", [1, 3])
def test_content_takes_the_same_number_of_queries(
    unpaid: Registration, rows: int, django_assert_num_queries: Any
) -> None:
    for _ in range(rows):
        make_ledger_entry(unpaid)
    with django_assert_num_queries(3):
        receipts.content(Overview(unpaid, NOW))


@pytest.mark.parametrize("name", ["Łucja Brzęczyszczykiewicz-O’Neill", "*_#[x](y) $1 \\ @a", "山田 花子", "A" * 150])
def test_pdf_prints_any_name(unpaid: Registration, name: str) -> None:
    unpaid.user.name = name
    make_ledger_entry(unpaid)
    assert receipts.pdf(Overview(unpaid, NOW)).startswith(b"%PDF-")
