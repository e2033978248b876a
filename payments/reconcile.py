"""Our books held against the providers', both ways, and what is cached against what it is computed from.

What can be put right is put right, by the same verbs as always, and reported all the same: that it was missing is news.
Nothing here holds a list that grows with the money; what a provider named goes into a temporary table.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from candidates.models import Registration
from icg_cert.lib.jobs import each_due
from payments import deliveries, ledger, notices, refunds, settlement
from payments.gateways import registry
from payments.gateways.base import Facts, Gateway, GatewayError, Txn
from payments.models import Attempt, Delivery, LedgerEntry, ProviderRef, Reconciliation

logger = logging.getLogger(__name__)
PATIENCE = timedelta(minutes=10)
DAYS = 3  # as long as providers try to deliver an event
EVERY = timedelta(hours=1)
KEPT = 200
CHUNK = 500
LOCK = 7_226_001  # any number nobody else uses in this database


@dataclass(slots=True)
class Report:
    """What one run found. A finding is (code, words)."""

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[str, str]] = field(default_factory=list)
    drift: int = 0

    def find(self, code: str, words: str) -> None:
        self.drift += 1
        logger.warning("reconcile: %s: %s", code, words)
        if len(self.findings) < KEPT:
            self.findings.append((code, words))


def run(*, since: datetime, at: datetime) -> Reconciliation | None:
    """Compare everything from `since` on; None when another run is under way. A second run finds nothing new."""
    with _alone() as is_alone:
        if not is_alone:
            return None
        row, report = Reconciliation.objects.create(started_at=at, since=since), Report()
        _leftovers(report, at)
        for gateway in registry.switched_on():
            _compare(gateway, report, since, at)
        _statuses(report, at)
        row.finished_at, row.drift = at, report.drift
        row.counts, row.findings = dict(report.counts), report.findings
        row.save()
        return row


def is_due(at: datetime) -> bool:
    """Whether the last whole run began an hour ago or earlier."""
    return not Reconciliation.objects.filter(finished_at__isnull=False, started_at__gt=at - EVERY).exists()


@contextmanager
def _alone() -> Iterator[bool]:
    """One run at a time in the whole database; a killed process lets go with its connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        is_alone: bool = cursor.fetchone()[0]
        try:
            yield is_alone
        finally:
            if is_alone:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _leftovers(report: Report, at: datetime) -> None:
    """What waits for an answer: attempts, refunds, webhooks. Each is asked for again, and named if it still waits."""
    unresolved, due = Attempt.objects.unresolved(at - PATIENCE), Delivery.objects.due(at)
    report.counts["attempts asked about"] = each_due(settlement.settle, _keys(unresolved), at=at)
    report.counts["refunds sent again"] = each_due(refunds.send, _keys(refunds.unsent(at)), at=at)
    report.counts["webhooks worked off"] = each_due(deliveries.process, _keys(due), at=at)
    for attempt in Attempt.objects.unresolved(at - PATIENCE).filter(state=Attempt.State.UNKNOWN).iterator(CHUNK):
        report.find("attempt-unknown", f"The provider does not say how attempt {attempt.public_id} stands.")
    for delivery in Delivery.objects.filter(state=Delivery.State.DEAD).iterator(CHUNK):
        report.find("delivery-dead", f"Webhook {delivery} ({delivery.type}) was given up: {delivery.note}")


def _keys(rows: QuerySet) -> Iterator[int]:
    return rows.values_list("pk", flat=True).iterator(CHUNK)


def _compare(gateway: Gateway, report: Report, since: datetime, at: datetime) -> None:
    with _seen() as cursor:
        try:
            for facts in gateway.recent(since, at=at):
                report.counts[f"{gateway.name} payments"] += 1
                _hold_against_ledger(gateway, facts, report, at)
                names = [(txn.kind, txn.ref) for txn in facts.txns]
                cursor.executemany("INSERT INTO reconcile_seen VALUES (%s, %s)", names)
        except GatewayError as error:
            report.find("provider-silent", f"{gateway.name} did not list its payments: {type(error).__name__}.")
            return
        _rows_without_money(gateway, report, since, at)


@contextmanager
def _seen() -> Iterator[Any]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE reconcile_seen (kind text, ref text)")
        try:
            yield cursor
        finally:
            cursor.execute("DROP TABLE reconcile_seen")


def _hold_against_ledger(gateway: Gateway, facts: Facts, report: Report, at: datetime) -> None:
    """Money at the provider without a row of ours: written down now, by the attempt's own verb where there is one."""
    refs = [txn.ref for txn in facts.txns]
    known = set(LedgerEntry.objects.filter(provider=gateway.name, txn_ref__in=refs).values_list("kind", "txn_ref"))
    missing = [txn for txn in facts.txns if (txn.kind, txn.ref) not in known]
    if not missing:
        return
    attempt_id = _attempt_of(gateway, facts)
    if attempt_id is not None:
        settlement.apply(attempt_id, facts, at=at)
    for txn in missing:
        code = "money-without-row" if attempt_id else "orphan"
        report.find(code, f"{gateway.name} {txn.kind} {txn.ref} of {txn.amount} was not in the ledger.")
        if attempt_id is None:
            _keep_orphan(gateway, facts, txn, at)


def _attempt_of(gateway: Gateway, facts: Facts) -> int | None:
    own = Attempt.objects.filter(provider=gateway.name)
    pk = own.filter(public_id=facts.attempt_id).values_list("pk", flat=True).first() if facts.attempt_id else None
    refs = ProviderRef.objects.filter(provider=gateway.name, ref__in=[ref.ref for ref in facts.refs])
    return pk or refs.values_list("attempt_id", flat=True).first()


@transaction.atomic
def _keep_orphan(gateway: Gateway, facts: Facts, txn: Txn, at: datetime) -> None:
    """Nobody's, unless it corrects a charge that is somebody's by now: it goes where its charge went."""
    charge = None if txn.kind == LedgerEntry.Kind.CHARGE else _charge_of(gateway, facts)
    account = ledger.account_of(charge) if charge else None
    locked = ledger.lock(account.pk) if account else None
    entry, is_new = ledger.post(
        registration=locked,
        kind=txn.kind,
        amount=txn.amount,
        provider=gateway.name,
        txn_ref=txn.ref,
        occurred_at=txn.occurred_at,
        at=at,
        corrects=charge,
        reason="The provider has it, and no attempt of ours does",
    )
    if locked:
        ledger.recompute(locked, at=at)
    if is_new:
        notices.entry_needs_eyes("orphan", entry, locked.code if locked else "", at=at)


def _charge_of(gateway: Gateway, facts: Facts) -> LedgerEntry | None:
    names = [*(txn.ref for txn in facts.txns), *(ref.ref for ref in facts.refs)]
    charges = LedgerEntry.objects.filter(provider=gateway.name, kind=LedgerEntry.Kind.CHARGE)
    return charges.filter(txn_ref__in=names).select_related("registration").first()


def _rows_without_money(gateway: Gateway, report: Report, since: datetime, at: datetime) -> None:
    """Charges in our books that the provider's list lacks. A list may lag by hours, so each is asked for by itself."""
    seen = RawSQL("SELECT ref FROM reconcile_seen WHERE kind = %s", [LedgerEntry.Kind.CHARGE])
    charges = LedgerEntry.objects.filter(provider=gateway.name, kind=LedgerEntry.Kind.CHARGE, occurred_at__gte=since)
    for entry in charges.exclude(txn_ref__in=seen).select_related("attempt").iterator(CHUNK):
        if not _is_there(gateway, entry, at):
            report.find(
                "row-without-money", f"{gateway.name} does not know the charge {entry.txn_ref} ({entry.money})."
            )


def _is_there(gateway: Gateway, entry: LedgerEntry, at: datetime) -> bool:
    if entry.attempt is None:
        return False
    try:
        facts = gateway.fetch(settlement.checkout_of(entry.attempt), at=at)
    except GatewayError:
        return False
    return any((txn.kind, txn.ref) == (entry.kind, entry.txn_ref) for txn in facts.txns)


def _statuses(report: Report, at: datetime) -> None:
    """The cached payment status of every registration against the sum it is computed from."""
    rows = Registration.objects.order_by("pk").iterator(CHUNK)
    while chunk := list(islice(rows, CHUNK)):
        positions = ledger.positions(chunk)
        report.counts["registrations"] += len(chunk)
        for row in chunk:
            if ledger.status_of(positions[row.pk]) != row.payment_status:
                _put_right(row.pk, row.payment_status, report, at)


@transaction.atomic
def _put_right(registration_id: int, was: str, report: Report, at: datetime) -> None:
    """Looked at again under the lock: the difference may have been a payment under way."""
    registration = ledger.lock(registration_id)
    before = registration.payment_status
    status = ledger.recompute(registration, at=at)
    if status != before:
        report.find("status", f"Registration {registration.code} was {was}, and the ledger says {status}.")
