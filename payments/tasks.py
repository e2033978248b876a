"""What payments do by themselves: each job finds its rows by the clock, one failure is logged and skipped."""

from datetime import timedelta

from celery import shared_task

from icg_cert.lib import clock
from icg_cert.lib.jobs import each_due
from payments import closing, deliveries, dunning, reconcile, refunds, settlement
from payments.models import Attempt, Delivery


@shared_task
def settle_unresolved() -> int:
    """Ask about attempts that nobody came back from: a closed browser, a lost answer, a crash of ours."""
    at = clock.now()
    return each_due(
        settlement.settle, Attempt.objects.unresolved(at - reconcile.PATIENCE).values_list("pk", flat=True), at=at
    )


@shared_task
def close_unpaid() -> int:
    """After a cohort's window, or a registration's end: close pages that take money; lapse who never completed."""
    at = clock.now()
    late = closing.late_attempts(at) | closing.stranded_attempts()
    closed = each_due(settlement.close, late.values_list("pk", flat=True), at=at)
    return closed + each_due(closing.lapse, closing.lapsable(at).values_list("pk", flat=True), at=at)


@shared_task
def process_delivery(delivery_id: int) -> bool:
    """One webhook, right after its door answered."""
    return deliveries.process(delivery_id, at=clock.now())


@shared_task
def process_deliveries() -> int:
    """Webhooks that nobody worked off: no worker was there, or the provider did not answer."""
    at = clock.now()
    return each_due(deliveries.process, Delivery.objects.due(at).values_list("pk", flat=True), at=at)


@shared_task
def send_refunds() -> int:
    """Refunds that were approved and of which the provider has not told us yet."""
    at = clock.now()
    return each_due(refunds.send, refunds.unsent(at).values_list("pk", flat=True), at=at)


@shared_task
def reconcile_hourly() -> int:
    """Our books against the providers'; how much did not agree. The run's report says what."""
    at = clock.now()
    run = reconcile.run(since=at - timedelta(days=reconcile.DAYS), at=at) if reconcile.is_due(at) else None
    return run.drift if run else 0


@shared_task
def remind_invoices() -> int:
    """Write to accounts payable about invoices that are nearly, just or long due."""
    at = clock.now()
    return each_due(dunning.remind, dunning.due(at), at=at)
