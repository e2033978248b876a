"""What each role may open and change in Django's own admin. What happens to people there, verbs decide."""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from candidates.permissions import FINANCE, ROLES, STAFF

SEE = "view"
KEEP = "view add change"

# Model by model, because a row that only verbs may write must not become editable by joining an app.
RIGHTS: dict[str, dict[str, str]] = {
    STAFF: {
        "candidates.user": KEEP,
        "candidates.programme": "view change",
        "candidates.policytext": "view add",
        "candidates.cohort": KEEP,
        "candidates.cycle": KEEP,
        "candidates.registration": "view change",
        "candidates.evidencerequest": SEE,
        "candidates.extension": SEE,
        "portfolios.factor": KEEP,
        "portfolios.requirement": "view add change delete",
        "portfolios.entry": SEE,
        "portfolios.upload": SEE,
        "portfolios.consent": SEE,
        "portfolios.hold": SEE,
        "portfolios.purge": SEE,
        "scoring.scoringpolicy": "view add",
        "scoring.rubric": "view add",
        "scoring.level": SEE,
        "scoring.criterion": SEE,
        "scoring.feedbackstatement": "view add change delete",
        "scoring.cyclepolicy": SEE,
        "scoring.readingtime": "view add change",
        "scoring.publicmaildomain": "view add change delete",
        "scoring.scorer": KEEP,
        "scoring.qualification": KEEP,
        "scoring.standard": "view add",
        "scoring.benchmark": SEE,
        "scoring.calibration": SEE,
        "scoring.pause": SEE,
        "scoring.statement": SEE,
        "scoring.declaredtie": SEE,
        "scoring.recusal": SEE,
        "scoring.assignment": SEE,
        "scoring.sheet": SEE,
        "scoring.release": SEE,
        "scoring.gateexception": SEE,
        "scoring.resulthold": SEE,
        "scoring.result": SEE,
        "scoring.certificate": SEE,
        "payments.purchaseorder": SEE,
        "payments.seat": SEE,
        "payments.quote": SEE,
        "payments.payer": "view change",
        "payments.invoice": SEE,
        "payments.creditnote": SEE,
        "payments.vendor": SEE,
        "payments.remittance": SEE,
        "payments.attempt": SEE,
        "payments.delivery": SEE,
        "payments.dispute": SEE,
        "payments.refund": SEE,
        "payments.reconciliation": SEE,
        "payments.ledgerentry": SEE,
        "payments.account": SEE,
        "audit.event": SEE,
        "mail.message": SEE,
    },
    FINANCE: {
        "candidates.registration": SEE,
        "payments.purchaseorder": SEE,
        "payments.seat": SEE,
        "payments.quote": SEE,
        "payments.payer": "view change",
        "payments.invoice": SEE,
        "payments.creditnote": SEE,
        "payments.vendor": KEEP,
        "payments.remittance": SEE,
        "payments.attempt": SEE,
        "payments.delivery": SEE,
        "payments.dispute": SEE,
        "payments.refund": SEE,
        "payments.reconciliation": SEE,
        "payments.ledgerentry": SEE,
        "payments.account": SEE,
        "payments.policyacceptance": SEE,
        "mail.message": SEE,
    },
}


def grant_roles() -> int:
    """Make the groups, with exactly these rights; how many were new. Needs migrated tables, safe to repeat."""
    made = [Group.objects.get_or_create(name=role)[1] for role in ROLES]
    for role, rights in RIGHTS.items():
        Group.objects.get(name=role).permissions.set(_permissions(rights))
    return sum(made)


def _permissions(rights: dict[str, str]) -> list[Permission]:
    wanted = Q(pk__in=[])
    for label, actions in rights.items():
        app, model = label.split(".")
        codenames = [f"{action}_{model}" for action in actions.split()]
        wanted |= Q(content_type__app_label=app, codename__in=codenames)
    return list(Permission.objects.filter(wanted))
