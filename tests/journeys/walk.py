"""Walking the programme as its people do: verbs where a person acts, the tick where the portal acts by itself.

The clock is the rehearsal clock, as in the demo. Every step names the instant at which somebody does something.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import BytesIO

from django.core.management import call_command

from candidates import registration
from candidates.eligibility import Hours, Statement
from candidates.models import Cycle, PolicyText, Registration, User
from icg_cert.lib import clock
from icg_cert.mail.models import Message
from payments import acceptance, attempts, purchase_orders, remittances, settlement
from payments.gateways.base import Standing
from payments.models import Attempt, Invoice
from payments.purchase_orders import Order
from portfolios import consents, submission, uploads
from portfolios.models import Entry, Factor, Requirement
from scoring import assignment, release, sheets
from scoring.models import Assignment, Result, Sheet
from scoring.sheets import Content, Rated
from tests.factories import at, make_user
from tests.payments import fake
from tests.portfolios.files import film, pdf

Scores = Mapping[tuple[User, int], tuple[str, ...]]  # (candidate, factor) to the readings in their order


@dataclass
class Cast:
    """Everybody of the office, and the two files every candidate hands in again and again."""

    staff: User
    other_staff: User
    finance: User
    scorers: list[User]
    lead: User
    video: bytes = field(default_factory=lambda: film(seconds=6))
    document: bytes = field(default_factory=pdf)


def tick(instant: datetime) -> None:
    """What the portal does by itself at an instant."""
    clock.jump_to(instant)
    call_command("tick")


def register(name: str, when: datetime) -> Registration:
    user = make_user(name, email=f"{name.split()[0].lower()}@example.org")
    statement = Statement(
        employer="Lakeside School District",
        district="Lakeside School District",
        school="Lakeside Elementary",
        role_title="Instructional coach",
        is_full_time=True,
        supervisor_name="Sam Supervisor",
        supervisor_email="supervisor@example.org",
        hours=Hours(coaching=Decimal(28), administrative=Decimal(8), testing=Decimal(4)),
        attestation_version=1,
        signature=name,
    )
    return registration.register(statement, by=user, at=when)


def accepted_policy() -> int:
    return PolicyText.current(PolicyText.Kind.NO_REFUNDS).pk


def pay(made: Registration, when: datetime) -> None:
    """By card, at the practice provider: the page opens, the payer pays, the return page settles."""
    url = attempts.start(made.pk, "fake", by=made.user, at=when, accepted=accepted_policy())
    fake.decide(url.rstrip("/").rpartition("/")[2], Standing.PAID, at=when)
    settlement.settle(Attempt.objects.get(registration=made).pk, at=when)


def order(made: Registration, when: datetime) -> int:
    """A purchase order handed in with its document; its key."""
    from_district = Order(
        payer_name="Lakeside School District",
        payer_email="ap@lakeside.example.org",
        number="PO 2026-0117",
        issued_on=when.date(),
        amount=made.fee,
        document=pdf(),
    )
    acceptance.accept_for(made.pk, accepted_policy(), by=made.user, at=when)
    return purchase_orders.submit(made.pk, from_district, by=made.user, at=when).pk


def remit(order_id: int, cast: Cast, received_on: date, when: datetime) -> None:
    """A check over what is open on the order's invoice."""
    due = Invoice.objects.open().select_related("order").get(order=order_id)
    check = {"kind": "check", "number": "10442", "amount": due.owed, "received_on": received_on}
    remittances.enter(due.order.payer_id, **check, invoices=[due.pk], by=cast.finance, at=when)


def hand_in(made: Registration, year: int, factors: Iterable[int], cast: Cast, when: datetime) -> None:
    """Entries for these factors with every file the programme asks for, checked by the job, then submitted."""
    cycle = Cycle.objects.get(year=year)
    entries = [begin(made, cycle, number, cast, when) for number in factors]
    tick(when + timedelta(minutes=5))
    for entry in entries:
        submission.submit(entry.pk, by=made.user, at=when + timedelta(minutes=10))


def begin(made: Registration, cycle: Cycle, number: int, cast: Cast, when: datetime) -> Entry:
    """A draft with all its files in place."""
    factor = Factor.objects.get(number=number)
    entry = submission.start(made.pk, factor.pk, cycle.pk, by=made.user, at=when)
    for requirement in factor.requirements.filter(minimum__gt=0):
        for copy in range(requirement.minimum):
            _put(entry, requirement, copy, made.user, cast, when)
    return entry


def _put(entry: Entry, requirement: Requirement, copy: int, by: User, cast: Cast, when: datetime) -> None:
    is_video = requirement.kind == Requirement.Kind.VIDEO
    body = (cast.video if is_video else cast.document) + b"\0" * copy
    name = f"{by.name} {requirement.key} {copy}{'.mp4' if is_video else '.pdf'}"
    upload = uploads.take_in(entry.pk, requirement.pk, filename=name, file=BytesIO(body), by=by, at=when)
    if is_video:
        consents.confirm(upload.pk, releases=["Teacher release"], by=by, at=when)


def score(year: int, scores: Scores, cast: Cast, when: datetime) -> None:
    """Staff assign; every scorer, then the lead, judge what is on their queue until nothing is left.

    `scores` gives each (candidate, factor) its readings: one value serves every reading; of several, the first
    reading gets the first, the second the next, the lead scorer the last.
    """
    cycle = Cycle.objects.get(year=year)
    assignment.assign_cycle(cycle.pk, by=cast.staff, at=when)
    waiting = Sheet.objects.filter(status=Sheet.Status.DRAFT, assignment__entry__cycle=cycle).order_by("pk")
    while left := list(waiting.select_related("assignment__scorer", "assignment__entry__registration__user")):
        for sheet in left:
            _judge(sheet, _value(sheet.assignment, scores), when)


def _value(reading: Assignment, scores: Scores) -> Decimal:
    readings = scores[reading.entry.registration.user, reading.entry.factor.number]
    place = [Assignment.Role.FIRST, Assignment.Role.SECOND, Assignment.Role.ADJUDICATION].index(reading.role)
    return Decimal(readings[min(place, len(readings) - 1)])


def _judge(sheet: Sheet, value: Decimal, when: datetime) -> None:
    scorer = sheet.assignment.scorer
    ratings = {criterion.pk: Rated(value, "Seen at 2:10.") for criterion in sheet.rubric.criteria.all()}
    saved = sheets.save(sheet.pk, version=sheet.version, new=Content(ratings, "Thank you."), by=scorer, at=when)
    sheets.finalise(sheet.pk, version=saved.version, by=scorer, at=when)


def release_results(year: int, cast: Cast) -> None:
    """Prepared by one, approved by another, told by the job at the announced instant."""
    cycle = Cycle.objects.get(year=year)
    seen = release.prepare(cycle.pk, releases_at=cycle.releases_at, by=cast.staff, at=at(year, 10, 20)).prepared_at
    release.approve(cycle.pk, seen=seen, by=cast.other_staff, at=at(year, 10, 21))
    tick(cycle.releases_at)


def told(made: Registration, when: datetime) -> list[tuple[int, str, str]]:
    """What the candidate can read of their results at an instant: year, status, sum of the factor scores."""
    results = Result.objects.visible_to(made.user).released(when).order_by("cycle__year")
    return [(result.cycle.year, result.status, str(result.total)) for result in results]


def mails(made: Registration) -> list[str]:
    """Every mail the candidate got, in order."""
    sent = Message.objects.filter(user=made.user, state=Message.State.SENT)
    return list(sent.order_by("queued_at", "pk").values_list("event", flat=True))
