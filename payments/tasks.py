"""What payments do by themselves: each job finds its rows by the clock, one failure is logged and skipped."""

from datetime import timedelta

from celery import shared_task

from icg_cert.lib import clock
from icg_cert.lib.jobs import each_due
from payments import closing, dunning, settlement
from payments.models import Attempt

PATIENCE = timedelta(minutes=10)


@shared_task
def settle_unresolved() -> int:
    """Ask about attempts that nobody came back from: a closed browser, a lost answer, a crash of ours."""
    at = clock.now()
    return each_due(settlement.settle, Attempt.objects.unresolved(at - PATIENCE).values_list("pk", flat=True), at=at)


@shared_task
def close_unpaid() -> int:
    """After a cohort's window: close pages that still take money, then lapse who never completed."""
    at = clock.now()
    closed = each_due(settlement.close, closing.late_attempts(at).values_list("pk", flat=True), at=at)
    return closed + each_due(closing.lapse, closing.lapsable(at).values_list("pk", flat=True), at=at)


@shared_task
def remind_invoices() -> int:
    """Write to accounts payable about invoices that are nearly, just or long due."""
    at = clock.now()
    return each_due(dunning.remind, dunning.due(at), at=at)
