"""What people of the demo do, each by the verbs that anybody's click would call."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet

from candidates import registration
from candidates.eligibility import Hours, Statement
from candidates.models import Cycle, PolicyText, Registration, User
from icg_cert.demo import cast, files
from payments import acceptance, attempts, purchase_orders, settlement
from payments.gateways import fake
from payments.gateways.base import Standing
from payments.models import Attempt, PurchaseOrder
from portfolios import checks, submission, uploads
from portfolios.models import Entry, Factor, Requirement
from scoring import sheets
from scoring.models import Assignment, Criterion, Sheet
from scoring.scores import VALUES
from scoring.sheets import Content, Rated

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
QUARTER = Decimal("0.25")
COMMENT = "Thank you for letting us see your work. What you do is clear; say still more about why you do it."
EVIDENCE = "Seen in the film at 0:04, and said in the second paragraph."
FIRST, SECOND, LEAD = Assignment.Role.FIRST, Assignment.Role.SECOND, Assignment.Role.ADJUDICATION
# (address, factor) to what each role gives; what is not here is drawn from DRAWN. Cleo's are read far apart.
GIVEN: dict[tuple[str, int], dict[Any, str]] = {
    (cast.ADA.email, 2): {FIRST: "3.25", SECOND: "3.00"},
    (cast.ADA.email, 4): {FIRST: "3.25", SECOND: "1.75", LEAD: "2.25"},
    (cast.ADA.email, 5): {FIRST: "3.00", SECOND: "2.75"},
} | {(cast.CLEO.email, factor): {FIRST: "4.00", SECOND: "2.25"} for factor in range(1, 8)}
DRAWN = [Decimal(value) for value in ("3.75", "3.25", "4.00", "3.00", "3.25")]


# ---- Candidates


def register(user: User, at: datetime) -> Registration:
    text = PolicyText.current(PolicyText.Kind.ATTESTATION)
    statement = Statement(
        employer="Lakeside Public Schools",
        district="Lakeside Public Schools",
        school="Lakeside Middle School",
        role_title="Instructional coach",
        is_full_time=True,
        supervisor_name="Sam Summers",
        supervisor_email=f"sam@lakeside.{cast.DOMAIN}",
        hours=Hours(coaching=Decimal(32), administrative=Decimal(5), testing=Decimal(3)),
        attestation_version=text.version,
        signature=user.name,
    )
    return registration.register(statement, by=user, at=at)


def pay_by_card(row: Registration, at: datetime | None = None) -> None:
    """On the practice page; a few minutes after registering unless told otherwise."""
    at, text = at or row.registered_at + 5 * MINUTE, PolicyText.current(PolicyText.Kind.NO_REFUNDS)
    page = attempts.start(row.pk, "fake", by=row.user, at=at, accepted=text.pk)
    fake.decide(page.rstrip("/").rpartition("/")[2], Standing.PAID, at=at)
    settlement.settle(Attempt.objects.get(registration=row).pk, at=at)


def send_order(row: Registration, number: str, at: datetime) -> PurchaseOrder:
    text = PolicyText.current(PolicyText.Kind.NO_REFUNDS)
    acceptance.accept_for(row.pk, text.pk, by=row.user, at=at)
    order = purchase_orders.Order(
        payer_name=row.district,
        payer_email=f"payable@lakeside.{cast.DOMAIN}",
        number=number,
        issued_on=row.registered_at.astimezone(ZoneInfo(settings.TIME_ZONE)).date(),
        amount=row.fee,
        document=files.pdf_document(f"Purchase order {number}"),
    )
    return purchase_orders.submit(row.pk, order, by=row.user, at=at)


def hand_in(user: User, cycle: Cycle, factors: Iterable[int]) -> None:
    """Begin, fill, check and submit an entry for each factor, one a day from the tenth day of the window."""
    row = user.registrations.standing().get(cohort__year__range=(cycle.year - 3, cycle.year - 1))
    for day, number in enumerate(factors, start=10):
        at = cycle.opens_at + day * DAY
        factor = Factor.objects.get(number=number)
        entry = submission.start(row.pk, factor.pk, cycle.pk, by=user, at=at)
        for minutes, requirement in enumerate(factor.requirements.filter(minimum__gte=1), start=1):
            _upload(entry, requirement, user, at + 10 * minutes * MINUTE)
        submission.submit(entry.pk, by=user, at=at + DAY / 2)


def _upload(entry: Entry, requirement: Requirement, user: User, at: datetime) -> None:
    name, content = files.for_requirement(requirement)
    upload = uploads.take_in(
        entry.pk, requirement.pk, filename=name, file=BytesIO(content), by=user, at=at, consent=True
    )
    checks.check(upload.pk, at=at + MINUTE)


# ---- The portal


def close(cycle: Cycle) -> None:
    """What the job does at the closing of a window."""
    for key in Entry.objects.filter(cycle=cycle).values_list("pk", flat=True):
        submission.lock_and_auto_submit(key, at=cycle.closes_at + cycle.grace)


# ---- Scorers


def open_sheets(cycle: Cycle) -> QuerySet[Sheet]:
    """Sheets of the cycle that nobody finished, in the order in which they were given out."""
    rows = Sheet.objects.filter(status=Sheet.Status.DRAFT, assignment__entry__cycle=cycle)
    return rows.select_related("assignment__entry__registration__user", "assignment__entry__factor").order_by("pk")


def score(rows: Iterable[Sheet], at: datetime) -> None:
    for sheet in list(rows):
        by = sheet.assignment.scorer
        saved = sheets.save(sheet.pk, version=sheet.version, new=_judgement(sheet), by=by, at=at)
        sheets.finalise(sheet.pk, version=saved.version, by=by, at=at + MINUTE)


def begin(rows: Iterable[Sheet], at: datetime) -> None:
    """The first criterion, and then the telephone rang."""
    for sheet in list(rows):
        whole = _judgement(sheet)
        started = Content(ratings=dict(list(whole.ratings.items())[:1]))
        sheets.save(sheet.pk, version=sheet.version, new=started, by=sheet.assignment.scorer, at=at)


def _judgement(sheet: Sheet) -> Content:
    base = _value(sheet.assignment)
    criteria = list(sheet.rubric.criteria.all())
    ratings = {criterion.pk: Rated(_shade(base, criterion), EVIDENCE) for criterion in criteria}
    statement = min((statement.pk for statement in sheets.statements_for(sheet)), default=None)
    return Content(ratings=ratings, comment=COMMENT, feedback=frozenset({statement} if statement else ()))


def _value(given: Assignment) -> Decimal:
    entry = given.entry
    wanted = GIVEN.get((entry.registration.user.email, entry.factor.number), {}).get(given.role)
    turn = entry.factor.number + (given.role == SECOND)
    return Decimal(wanted) if wanted else DRAWN[turn % len(DRAWN)]


def _shade(base: Decimal, criterion: Criterion) -> Decimal:
    """The first criterion a quarter above the others, where its level allows."""
    better = base + QUARTER
    return better if criterion.position == 1 and better in VALUES else base
