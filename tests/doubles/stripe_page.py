"""The page on which a payer would type a card number. It says that it is a practice page, and takes none."""

from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #f3f5f8; color: #1c2733; font: 1.0625rem/1.5 system-ui, sans-serif; }
main { max-width: 30rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
.practice, .problem { border: 1px solid #8a6100; border-radius: .5rem; padding: .75rem 1rem; }
.practice { background: #fff4d6; margin: 0 0 1.5rem; }
.card { background: #fff; border: 1px solid #cfd6de; border-radius: .75rem; padding: 1.25rem; overflow-wrap: anywhere; }
h1 { font-size: 1.375rem; line-height: 1.3; margin: 0 0 .25rem; }
.amount { font-size: 2rem; font-weight: 600; margin: .25rem 0 1rem; }
.problem { background: #fdecea; border-color: #a3261b; margin: 0 0 1rem; }
form { display: grid; gap: .75rem; margin-top: 1.25rem; }
button, .button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: .6rem 1rem; border-radius: .5rem;
  border: 1px solid #1c2733; background: #fff; color: #1c2733; cursor: pointer; text-align: center; display: block; }
button.pay { background: #1d4fa8; border-color: #1d4fa8; color: #fff; }
:focus-visible { outline: 3px solid #b35900; outline-offset: 2px; }
"""
BUTTONS = """
<form method="post">
  <button class="pay" name="decision" value="pay">Pay {amount}</button>
  <button name="decision" value="decline">Pay with a card that is declined</button>
  <button name="decision" value="cancel">Cancel and go back</button>
</form>
"""
DECLINED = """
<p class="problem" role="alert"><strong>The card was declined.</strong> Nothing was taken. You can try again.</p>
"""
ENDED = {
    "complete": "This payment is finished. You can close this page.",
    "expired": "This payment page has expired. Nothing was taken here. Please begin again where you came from.",
}


def page(session: dict[str, Any], *, is_declined: bool = False) -> str:
    """The page of a Checkout Session as it stands."""
    amount = f"{session['amount_total'] // 100:,}.{session['amount_total'] % 100:02} {session['currency'].upper()}"
    if session["status"] == "open":
        rest = BUTTONS.format(amount=amount)
    else:
        back = escape(session["cancel_url"] or session["success_url"])
        rest = f'<p>{ENDED[session["status"]]}</p><p><a class="button" href="{back}">Go back</a></p>'
    what, email = escape(session["_description"]), escape(session["customer_email"] or "")
    receipt = f"<p>Receipt to {email}</p>" if email else ""
    notice = DECLINED if is_declined else ""
    body = f'{notice}<h1>{what}</h1><p class="amount">{amount}</p>{receipt}{rest}'
    return whole(f"Declined: pay {amount}" if is_declined else f"Pay {amount}", "Stripe", body)


def unknown() -> str:
    return whole("Page not found", "Stripe", "<h1>There is no such payment page</h1>")


def whole(title: str, provider: str, body: str) -> str:
    """A page of a provider's stand-in."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} (practice page of {provider})</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<p class="practice"><strong>Practice page.</strong> It stands in for {provider}.
No account and no card is asked for, and no money moves.</p>
<div class="card">{body}</div>
</main>
</body>
</html>
"""
