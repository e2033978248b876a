"""Who sees which list in the admin, and who may add to it. Changing is each admin's own test.

Only staff and finance come in at all. "see": the list; "add": the list and its add page; "-": neither.
"""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from candidates.models import User
from icg_cert.permissions import grant_roles

# fmt: off
TABLE = {
    # list                       staff  finance
    "account.emailaddress":      ("-",   "-"),
    "audit.event":               ("see", "-"),
    "auth.group":                ("-",   "-"),
    "candidates.cohort":         ("see", "-"),  # made from the calendar, by an action
    "candidates.cycle":          ("see", "-"),
    "candidates.evidencerequest": ("see", "-"),
    "candidates.extension":      ("see", "-"),
    "candidates.policytext":     ("add", "-"),
    "candidates.programme":      ("see", "-"),
    "candidates.registration":   ("see", "see"),
    "candidates.user":           ("add", "-"),
    "mail.message":              ("see", "see"),
    "mfa.authenticator":         ("-",   "-"),
    "payments.account":          ("see", "see"),
    "payments.attempt":          ("see", "see"),
    "payments.creditnote":       ("see", "see"),
    "payments.delivery":         ("see", "see"),
    "payments.dispute":          ("see", "see"),
    "payments.invoice":          ("see", "see"),
    "payments.ledgerentry":      ("see", "see"),
    "payments.payer":            ("see", "see"),  # made by the orders that name them
    "payments.purchaseorder":    ("see", "see"),
    "payments.quote":            ("see", "see"),
    "payments.reconciliation":   ("see", "see"),
    "payments.refund":           ("see", "see"),
    "payments.remittance":       ("see", "see"),
    "payments.seat":             ("see", "see"),
    "payments.vendor":           ("see", "add"),
    "portfolios.consent":        ("see", "-"),
    "portfolios.entry":          ("see", "-"),
    "portfolios.factor":         ("add", "-"),
    "portfolios.hold":           ("see", "-"),
    "portfolios.purge":          ("see", "-"),
    "portfolios.upload":         ("see", "-"),
    "scoring.assignment":        ("see", "-"),
    "scoring.benchmark":         ("see", "-"),
    "scoring.calibration":       ("see", "-"),
    "scoring.certificate":       ("see", "-"),
    "scoring.cyclepolicy":       ("see", "-"),
    "scoring.declaredtie":       ("see", "-"),
    "scoring.feedbackstatement": ("add", "-"),
    "scoring.pause":             ("see", "-"),
    "scoring.gateexception":    ("see", "-"),
    "scoring.publicmaildomain":  ("add", "-"),
    "scoring.qualification":     ("add", "-"),
    "scoring.readingtime":       ("add", "-"),
    "scoring.recusal":           ("see", "-"),
    "scoring.release":           ("see", "-"),
    "scoring.result":            ("see", "-"),
    "scoring.resulthold":       ("see", "-"),
    "scoring.rubric":            ("add", "-"),
    "scoring.scorer":            ("add", "-"),
    "scoring.scoringpolicy":     ("add", "-"),
    "scoring.sheet":             ("see", "-"),
    "scoring.standard":          ("add", "-"),
    "scoring.statement":         ("see", "-"),
}
# fmt: on
STATUSES = {"-": (403, 403), "see": (200, 403), "add": (200, 200)}


def test_every_list_of_the_admin_is_in_the_table() -> None:
    assert {model._meta.label_lower for model in admin.site._registry} == set(TABLE)


@pytest.mark.django_db
@pytest.mark.parametrize("name", TABLE)
def test_staff_and_finance_see_their_lists(name: str, staff: User, finance: User) -> None:
    grant_roles()
    expected = tuple(STATUSES[right] for right in TABLE[name])
    assert (_statuses(staff, name), _statuses(finance, name)) == expected


@pytest.mark.django_db
@pytest.mark.parametrize("person", ["candidate", "scorer", "lead"])
def test_nobody_else_comes_into_the_admin(person: str, request: pytest.FixtureRequest) -> None:
    grant_roles()
    user = request.getfixturevalue(person)
    assert {name: _statuses(user, name) for name in TABLE} == dict.fromkeys(TABLE, (302, 302))


def _statuses(user: User, name: str) -> tuple[int, int]:
    """Of the list and of its add page."""
    client = Client()
    client.force_login(user)
    address = f"admin:{name.replace('.', '_')}"
    return tuple(client.get(reverse(f"{address}_{page}")).status_code for page in ("changelist", "add"))  # type: ignore[return-value]
