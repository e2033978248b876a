"""The page on which a payer would agree. It says that it is a practice page, and asks for no account."""

from html import escape
from typing import Any

from tests.doubles.stripe_page import whole

BUTTONS = """
<form method="post">
  <button class="pay" name="decision" value="pay">Agree and pay {amount}</button>
  <button name="decision" value="cancel">Cancel and go back</button>
</form>
"""
ENDED = {
    "APPROVED": "You have agreed to this payment. You can close this page.",
    "COMPLETED": "This payment is finished. You can close this page.",
}


def page(order: dict[str, Any], back: str) -> str:
    """The page of an order as it stands. `back` is where somebody goes who is done here."""
    unit, status = order["purchase_units"][0], order["status"]
    amount = f"{unit['amount']['value']} {unit['amount']['currency_code']}"
    if status in ENDED:
        rest = f'<p>{ENDED[status]}</p><p><a class="button" href="{escape(back)}">Go back</a></p>'
    else:
        rest = BUTTONS.format(amount=amount)
    what = escape(unit.get("description") or "Payment")
    return whole(f"Pay {amount}", "PayPal", f'<h1>{what}</h1><p class="amount">{amount}</p>{rest}')


def unknown() -> str:
    return whole("Page not found", "PayPal", "<h1>There is no such payment page</h1>")
