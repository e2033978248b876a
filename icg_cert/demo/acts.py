"""What people of the demo do, each by the verbs that anybody's click would call."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.files.base import ContentFile
from django.db.models import QuerySet

from candidates import registration
from candidates.eligibility import Hours, Statement
from candidates.models import Cycle, PolicyText, Registration, User
from icg_cert.demo import cast, files, providers
from icg_cert.lib.money import Money
from payments import acceptance, attempts, purchase_orders, quotes, seat_codes, seats, settlement
from payments.models import Attempt, PurchaseOrder, Seat, Vendor
from payments.purchase_orders import Order
from payments.quotes import Wanted
from portfolios import checks, consents, submission, uploads
from portfolios.models import Entry, Factor, Requirement
from scoring import appeals, benchmarks, sheets
from scoring.models import Assignment, Benchmark, Criterion, FactorScore, Sheet
from scoring.scores import VALUES
from scoring.sheets import Content, Rated

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
QUARTER = Decimal("0.25")
COMMENT = "Thank you for letting us see your work. What you do is clear; say still more about why you do it."
EVIDENCE = "Seen in the film at 0:04, and said in the second paragraph."
FIRST, SECOND, LEAD = Assignment.Role.FIRST, Assignment.Role.SECOND, Assignment.Role.ADJUDICATION
APPEAL = Assignment.Role.APPEAL
# (address, factor) to what each role gives; what is not here is drawn from DRAWN. Cleo's are read far apart.
GIVEN: dict[tuple[str, int], dict[Any, str]] = {
    (cast.ADA.email, 2): {FIRST: "3.25", SECOND: "3.00"},
    (cast.ADA.email, 4): {FIRST: "3.25", SECOND: "1.75", LEAD: "2.25", APPEAL: "2.25"},
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
    """On the stand-in's page; a few minutes after registering unless told otherwise."""
    at, text = at or row.registered_at + 5 * MINUTE, PolicyText.current(PolicyText.Kind.NO_REFUNDS)
    providers.set_clock(at)
    providers.press_pay(attempts.start(row.pk, "stripe", by=row.user, at=at, accepted=text.pk))
    settlement.settle(Attempt.objects.get(registration=row).pk, at=at)
    providers.set_clock(None)


def send_order(row: Registration, number: str, at: datetime) -> PurchaseOrder:
    """For one's own seat."""
    _accept_no_refunds(row, at)
    return purchase_orders.submit(row.pk, _order(row.district, number, row.fee, at), by=row.user, at=at)


def send_district_order(
    district: str, number: str, seats_wanted: int, asked_at: datetime, at: datetime
) -> PurchaseOrder:
    """Its office asks for a quote, and hands in the order through the link."""
    wanted = Wanted(district, "Connie Clark", f"connie@lakeside.{cast.DOMAIN}", seats_wanted)
    quote = quotes.make(wanted, at=asked_at)
    return purchase_orders.hand_in(quote.pk, _order(district, number, quote.money, at), by=None, at=at)


def take_seat(row: Registration, order: PurchaseOrder, at: datetime) -> None:
    """With the code of its first free seat, as its contact would give it."""
    _accept_no_refunds(row, at)
    free = order.seats.filter(state=Seat.State.FREE).order_by("pk")[0]
    seats.claim(row.pk, seat_codes.shown(free), by=row.user, at=at)


def fill_in_the_vendor(at: datetime) -> None:
    """What a district's office wants to know of us, as finance would have written it down."""
    vendor = Vendor.objects.get()
    vendor.remit_to = "Instructional Coaching Group\n100 Example Street\nLawrence, KS 66044"
    vendor.w9_signed_on = at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    vendor.w9.save("w9.pdf", ContentFile(files.pdf_document("Form W-9, an example")), save=False)
    vendor.save()


def _accept_no_refunds(row: Registration, at: datetime) -> None:
    text = PolicyText.current(PolicyText.Kind.NO_REFUNDS)
    acceptance.accept_for(row.pk, text.pk, by=row.user, at=at)


def _order(district: str, number: str, amount: Money, at: datetime) -> Order:
    return Order(
        payer_name=district,
        payer_email=f"payable@lakeside.{cast.DOMAIN}",
        number=number,
        issued_on=at.astimezone(ZoneInfo(settings.TIME_ZONE)).date(),
        amount=amount,
        document=files.pdf_document(f"Purchase order {number}"),
        bill_to=f"{district}\nAccounts Payable\n1 Lake Road",
        ship_to="Lakeside Middle School",
    )


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
    upload = uploads.take_in(entry.pk, requirement.pk, filename=name, file=BytesIO(content), by=user, at=at)
    if requirement.is_video:
        consents.confirm(upload.pk, releases=["Teacher release", "Class release list"], by=user, at=at)
    checks.check(upload.pk, at=at + MINUTE)


# ---- The portal


def close(cycle: Cycle) -> None:
    """What the job does at the closing of a window."""
    for key in Entry.objects.filter(cycle=cycle).values_list("pk", flat=True):
        submission.lock_and_auto_submit(key, at=cycle.closes_at + cycle.grace)


def have_verified(user: User, cycle: Cycle, number: int, staff: User, asked_at: datetime) -> None:
    """An appeal from asking to the decision, within a month."""
    told = FactorScore.objects.get(
        entry__registration__user=user, result__cycle=cycle, result__superseded_at=None, entry__factor__number=number
    )
    why = "The lead scorer's comment speaks of one conversation, and I handed in two."
    appeal = appeals.ask(told.pk, reason=why, by=user, at=asked_at)
    appeals.follow_up(appeal.pk, at=asked_at + MINUTE)
    score(open_sheets(cycle).filter(assignment__entry=appeal.entry), asked_at + 14 * DAY)
    appeals.decide(appeal.pk, words="Both conversations were looked at.", by=staff, at=asked_at + 20 * DAY)


# ---- Scorers


def open_sheets(cycle: Cycle) -> QuerySet[Sheet]:
    """Sheets of the cycle that nobody finished, in the order in which they were given out."""
    rows = Sheet.objects.filter(status=Sheet.Status.DRAFT, assignment__entry__cycle=cycle)
    return rows.select_related("assignment__entry__registration__user", "assignment__entry__factor").order_by("pk")


def score(rows: Iterable[Sheet], at: datetime) -> None:
    for sheet in list(rows):
        by = sheet.task.scorer
        saved = sheets.save(sheet.pk, version=sheet.version, new=_judgement(sheet), by=by, at=at)
        sheets.finalise(sheet.pk, version=saved.version, by=by, at=at + MINUTE)


def begin(rows: Iterable[Sheet], at: datetime) -> None:
    """The first criterion, and then the telephone rang."""
    for sheet in list(rows):
        whole = _judgement(sheet)
        started = Content(ratings=dict(list(whole.ratings.items())[:1]))
        sheets.save(sheet.pk, version=sheet.version, new=started, by=sheet.task.scorer, at=at)


def make_benchmark(entry: Entry, lead: User, other_lead: User, at: datetime) -> None:
    """One lead chooses a released entry and says what it deserves, another signs."""
    words = "The author agreed by e-mail; it is in the folder of consents."
    made = benchmarks.choose(entry.pk, use=Benchmark.Use.CALIBRATION, permission=words, by=lead, at=at)
    sheet = benchmarks.write(made.pk, by=lead, at=at)
    saved = sheets.save(sheet.pk, version=sheet.version, new=_judgement(sheet), by=lead, at=at)
    sheets.finalise(sheet.pk, version=saved.version, by=lead, at=at + MINUTE)
    benchmarks.sign(made.references.get().pk, by=other_lead, at=at + DAY)


def _judgement(sheet: Sheet) -> Content:
    base = _value(sheet.task)
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
