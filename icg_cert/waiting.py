"""What waits for somebody who works for the programme: counted, with the page on which it is done.

Only what a human must decide; what the portal does by itself stands nowhere here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from django.urls import reverse

from candidates import announced
from candidates.models import Registration
from icg_cert.celery import JOBS
from icg_cert.lib import clock
from icg_cert.lib.words import day_of, last_day_of
from icg_cert.mail.models import Message
from icg_cert.operations.models import Job
from payments import unmatched
from payments.gateways import registry
from payments.invoices import today
from payments.models import Attempt, Delivery, Dispute, Invoice, PurchaseOrder, Reconciliation, Refund
from portfolios.models import Entry, Upload
from scoring import appeal_desk, corrections, release
from scoring.models import Assignment, Correction, Release

AHEAD = timedelta(days=60)
A_DAY = timedelta(days=1)
RELEASING = timedelta(hours=1)  # what a release of ten thousand takes at most
Status, Payment = Registration.Status, Registration.Payment
REGISTRATIONS, ORDERS = "admin:candidates_registration_changelist", "admin:payments_purchaseorder_changelist"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A line of the list as components/task_row.html shows it."""

    name: str
    sentence: str
    count: int
    url: str
    action: str
    kind: str = "warn"
    word: str = ""

    @property
    def state_word(self) -> str:
        return self.word or f"{self.count} waiting"

    @property
    def state_kind(self) -> str:
        return self.kind


def for_staff(user: Any, at: datetime) -> list[Waiting]:
    """Registrations, purchase orders, cycles and breakdowns; empty when nothing waits."""
    lines = [
        _line(
            "Evidence to read",
            "A candidate has answered your question. Approve, refuse, or ask again.",
            Registration.objects.filter(status=Status.EVIDENCE_RECEIVED),
            f"{reverse(REGISTRATIONS)}?status__exact={Status.EVIDENCE_RECEIVED}",
            "Read the answers",
        ),
        _orders(),
        _refunds(user),
        *_cycles(at),
        *_told(user, at),
        _withdrawn(),
        *_files(at),
        *_breakdowns(),
        *_providers_off(),
    ]
    return [line for line in lines if line.count]


def for_finance(user: Any, at: datetime) -> list[Waiting]:
    """Orders to check, money that is to come, came twice or is nobody's, disputes, and where books do not agree."""
    lines = [
        _orders(),
        _line(
            "Money of nobody",
            "It came in and belongs to no registration. Match it to one, or return it.",
            unmatched.waiting(),
            f"{reverse('admin:payments_ledgerentry_changelist')}?account=waiting",
            "See it",
            kind="bad",
        ),
        _refunds(user),
        _line(
            "Invoices overdue",
            "Accounts payable is reminded by itself, four times. Then it takes a telephone.",
            Invoice.objects.with_sums().overdue(today(at)),
            f"{reverse('admin:payments_invoice_changelist')}?standing=overdue",
            "See them",
        ),
        _line(
            "Seats held without money yet",
            "The purchase order is accepted. Enter the remittance when it arrives.",
            Registration.objects.standing().filter(payment_status=Payment.PO_COMMITTED),
            f"{reverse(ORDERS)}?state__exact={PurchaseOrder.State.ACCEPTED}",
            "See accepted orders",
            kind="info",
        ),
        _line(
            "Paid in part",
            "Something is still owed.",
            Registration.objects.filter(payment_status=Payment.PARTLY_PAID),
            f"{reverse(REGISTRATIONS)}?payment_status__exact={Payment.PARTLY_PAID}",
            "See who",
        ),
        _line(
            "Paid too much",
            "An overpayment goes back to whoever paid it.",
            Registration.objects.filter(payment_status=Payment.OVERPAID),
            f"{reverse(REGISTRATIONS)}?payment_status__exact={Payment.OVERPAID}",
            "See who",
        ),
        _disputes(at),
        _line(
            "Webhooks given up",
            "A provider told us something that could not be worked off. Look at the note, then let it be tried again.",
            Delivery.objects.filter(state=Delivery.State.DEAD),
            f"{reverse('admin:payments_delivery_changelist')}?state__exact={Delivery.State.DEAD}",
            "See them",
            kind="bad",
        ),
        *_books(at),
        *_providers_off(),
    ]
    return [line for line in lines if line.count]


def _line(name: str, sentence: str, rows: QuerySet, url: str, action: str, kind: str = "warn") -> Waiting:  # type: ignore[type-arg]
    return Waiting(name, sentence, rows.count(), url, action, kind)


def _orders() -> Waiting:
    return _line(
        "Purchase orders to check",
        "Compare each with its document, then accept, refuse or ask.",
        PurchaseOrder.objects.filter(state=PurchaseOrder.State.SUBMITTED),
        f"{reverse(ORDERS)}?state__exact={PurchaseOrder.State.SUBMITTED}",
        "Check them",
    )


def _refunds(user: Any) -> Waiting:
    """Of others: nobody approves what they asked for."""
    return _line(
        "Refunds to approve",
        "Somebody asked for money to go back. It leaves once you approve it.",
        Refund.objects.filter(state=Refund.State.REQUESTED).exclude(requested_by=user),
        f"{reverse('admin:payments_refund_changelist')}?state__exact={Refund.State.REQUESTED}",
        "Look at them",
    )


def _disputes(at: datetime) -> Waiting:
    """With the day until which the provider takes the first answer."""
    found = Dispute.objects.open().aggregate(count=Count("pk"), first=Min("answer_by"))
    first = found["first"]
    until = f" {'The first was' if first <= at else 'The first is'} due on {day_of(first)}." if first else ""
    return Waiting(
        "Disputed",
        f"A payer's bank questions a payment. Answer in the provider's own pages.{until}",
        found["count"],
        f"{reverse('admin:payments_dispute_changelist')}?standing__exact={Dispute.Standing.OPEN}",
        "See them",
        kind="bad",
    )


def _books(at: datetime) -> list[Waiting]:
    """The last whole comparison with the providers: where it found something, and where it is a day old."""
    finished = Reconciliation.objects.filter(finished_at__isnull=False).values_list("drift", "finished_at").first()
    drift, last = finished or (0, None)
    is_late = last <= at - A_DAY if last else Attempt.objects.filter(opened_at__lte=at - A_DAY).exists()
    url, since = reverse("admin:payments_reconciliation_changelist"), f"since {day_of(last)}" if last else "yet"
    return [
        Waiting(
            "Books that do not agree",
            "The last comparison with the payment providers found differences. Its report names each.",
            drift,
            url,
            "Read the report",
            kind="bad",
            word=f"{drift} difference{'' if drift == 1 else 's'}",
        ),
        Waiting(
            "Books not compared",
            f"They are held against the payment providers every hour, and were not {since}. Do the portal's jobs run?",
            int(is_late),
            url,
            "See the reports",
            kind="bad",
            word="Late",
        ),
    ]


def _providers_off() -> list[Waiting]:
    """A way to pay that candidates are not offered, because nobody has set its keys."""
    on = {gateway.name for gateway in registry.switched_on()}
    return [
        Waiting(
            f"{way[0].upper()}{way[1:]} payments are off",
            "No keys are set, so candidates are not offered them. The README says how to connect them.",
            1,
            f"{reverse('admin:payments_attempt_changelist')}?provider={name}",
            "See earlier ones",
            kind="muted",
            word="Off",
        )
        for name, way in registry.WAYS.items()
        if name not in on
    ]


def _cycles(at: datetime) -> list[Waiting]:
    """Entries without readers, directions, and releases: one that somebody prepared waits for another to approve it; a
    cycle whose day has come and has none, for the first."""
    cycles, decided = announced.cycles(), list(Release.objects.order_by())
    releases = {one.cycle_id: one.state for one in decided}
    late = [one for one in decided if one.state == Release.State.APPROVED and one.releases_at <= at - RELEASING]
    unreleased = [cycle.pk for cycle in cycles if releases.get(cycle.pk) != Release.State.RELEASED]
    overdue = [cycle.pk for cycle in cycles if cycle.releases_at <= at and cycle.pk not in releases]
    handed_in = Entry.objects.locked().filter(registration__in=Registration.objects.standing())
    return [
        Waiting(
            "Entries nobody reads yet",
            "They are handed in for good. Give them to scorers.",
            handed_in.filter(~Exists(Assignment.objects.filter(entry=OuterRef("pk"))), cycle__in=unreleased).count(),
            reverse("scoring:board"),
            "Open the board",
        ),
        Waiting(
            "Directions to write",
            "The window opens in less than two months. What you write in the cycle is sent to every candidate.",
            sum(cycle.opens_at <= at + AHEAD and at < cycle.closes_at and not cycle.directions for cycle in cycles),
            reverse("admin:candidates_cycle_changelist"),
            "Open the cycles",
        ),
        Waiting(
            "Releases to approve",
            "Prepared by one member of staff; another one approves.",
            list(releases.values()).count(Release.State.PREPARED),
            reverse("scoring:release-list"),
            "Open releases",
        ),
        Waiting(
            "Left out of a release",
            "They would be told something else than was approved, or are not ready. Mend it, or hold them back.",
            sum(release.to_tell(one).count() for one in late),
            reverse("scoring:release-list"),
            "Open releases",
            kind="bad",
        ),
        Waiting(
            "Releases overdue",
            "Candidates expect their scores; nobody has prepared the release.",
            handed_in.filter(cycle__in=overdue).values("cycle").distinct().count(),
            reverse("scoring:release-list"),
            "Open releases",
            kind="bad",
        ),
    ]


def _told(user: Any, at: datetime) -> list[Waiting]:
    """What may still change about results that are out: appeals, corrections, certificates without a ground."""
    appeals = appeal_desk.due(at)
    first = f" The first is to be decided by {last_day_of(appeals[0].appeal.decide_by)}." if appeals else ""
    is_late = any(line.is_late for line in appeals)
    return [
        Waiting(
            "Appeals",
            f"A reading is in and waits for your decision, or nobody may read.{first}",
            len(appeals),
            reverse("scoring:appeal-list"),
            "Open appeals",
            kind="bad" if is_late else "warn",
        ),
        _line(
            "Corrections to approve",
            "Somebody found a released score to be wrong. You approve what others proposed.",
            Correction.objects.proposed().exclude(proposed_by=user),
            reverse("scoring:correction-list"),
            "Look at them",
        ),
        Waiting(
            "Certificates that nothing supports",
            "A correction replaced the result they rest on. Decide whether each is revoked.",
            len(corrections.unsupported()),
            reverse("scoring:correction-list"),
            "See which",
            kind="bad",
        ),
    ]


def _withdrawn() -> Waiting:
    """Films taken back from entries that are handed in for good and not released yet."""
    told = Release.objects.filter(state=Release.State.RELEASED).values("cycle")
    entries = Entry.objects.locked().exclude(cycle__in=told)
    return _line(
        "Videos withdrawn after closing",
        "Somebody seen in them took their consent back. Decide with the scorers what the entry is judged by, and write "
        "to the candidate. The line goes with the release.",
        Upload.objects.filter(entry__in=entries).taken_back(),
        f"{reverse('admin:portfolios_upload_changelist')}?state__exact={Upload.State.WITHDRAWN}",
        "See which",
    )


def _files(at: datetime) -> list[Waiting]:
    """What failed on our side, which no candidate loses by; and files that nobody works on."""
    failed, processing = Q(state=Upload.State.FAILED), Q(state=Upload.State.PROCESSING)
    unchecked = failed & Q(processing_tries=0) | Q(
        state=Upload.State.STORED, stored_at__lte=at - Upload.CHECK_WAITS_AT_MOST
    )
    found = Upload.objects.filter(failed | processing | unchecked).aggregate(
        unchecked=Count("pk", filter=unchecked),
        unprepared=Count("pk", filter=failed & Q(processing_tries__gt=0)),
        late=Count("pk", filter=processing & Q(checked_at__lte=at - A_DAY)),
    )
    url = reverse("admin:portfolios_upload_changelist")
    return [
        Waiting(
            "Files we could not check",
            "The check failed on our side, or no check has come to them for an hour: does the malware scanner run? The "
            "candidate loses nothing, but the file needs a look.",
            found["unchecked"],
            f"{url}?state__in={Upload.State.FAILED},{Upload.State.STORED}&processing_tries=0",
            "See the files",
            kind="bad",
        ),
        Waiting(
            "Films that could not be prepared",
            "They are handed in, and scorers cannot watch them well. Look at the log, then let them be prepared again.",
            found["unprepared"],
            f"{url}?state__exact={Upload.State.FAILED}&processing_tries__gt=0",
            "See the films",
            kind="bad",
        ),
        Waiting(
            "Films that wait for a day",
            "Scorers cannot watch them yet. Do the media workers run, and are there enough of them?",
            found["late"],
            f"{url}?state__exact={Upload.State.PROCESSING}",
            "See the films",
        ),
    ]


def _breakdowns() -> list[Waiting]:
    return [
        _line(
            "Jobs that stand still",
            "What the portal does by itself is late: mail, closings, releases. Nothing is lost; somebody must look.",
            Job.objects.filter(name__in=JOBS).late(clock.wall()),
            reverse("operations"),
            "See the jobs",
            kind="bad",
        ),
        _line(
            "E-mails given up",
            "They could not be sent after several tries.",
            Message.objects.filter(state=Message.State.DEAD),
            f"{reverse('admin:mail_message_changelist')}?state__exact={Message.State.DEAD}",
            "See the messages",
            kind="bad",
        ),
    ]
