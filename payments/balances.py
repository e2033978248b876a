"""How a payer stands with us: what came, what went back, what it is for, what is owed."""

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from payments.models import Allocation, Invoice, LedgerEntry, Payer, Refund, Remittance

Kind = LedgerEntry.Kind


def of_payers(payers: QuerySet[Payer]) -> QuerySet[Payer]:
    """Each with `received_minor`, `returned_minor`, `allocated_minor`, `unapplied_minor` and `owed_minor`.

    Unapplied is what of it is for no seat and was not asked back.
    """
    came = Remittance.objects.filter(payer=OuterRef("pk"))
    back = LedgerEntry.objects.filter(corrects__remittance__payer=OuterRef("pk")).exclude(kind=Kind.TRANSFER)
    given = Allocation.objects.standing().filter(remittance__payer=OuterRef("pk"))
    asked = Refund.objects.filter(entry__remittance__payer=OuterRef("pk"), state__in=Refund.LIVE)
    open_ = Invoice.objects.open().filter(order__payer=OuterRef("pk"))
    return payers.annotate(
        received_minor=_total(came, "payer"),
        returned_minor=-_total(back, "corrects__remittance__payer"),
        allocated_minor=_total(given, "remittance__payer"),
        asked_minor=_total(asked, "entry__remittance__payer"),
        owed_minor=_total(open_, "order__payer", "owed_minor"),
        unapplied_minor=F("received_minor") - F("returned_minor") - F("allocated_minor") - F("asked_minor"),
    )


def _total(rows: QuerySet, by: str, what: str = "amount_minor") -> Coalesce:
    return Coalesce(Subquery(rows.order_by().values(by).annotate(total=Sum(what)).values("total")), 0)
