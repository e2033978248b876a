"""Rows for tests: plain functions with sensible defaults, each returning what it made. Add, do not branch.

The world of the tests: cohort 2026 registers 1 November 2026 to 31 January 2027, its cycles are 2027, 2028 and 2029,
all in America/Chicago. `at(...)` writes an instant in that zone.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.contrib.auth.models import Group
from django.core.files.base import ContentFile

from candidates.models import (
    Cohort,
    Cycle,
    EvidenceRequest,
    Extension,
    PolicyText,
    Programme,
    Registration,
    User,
)
from icg_cert.lib.windows import start_of, whole_days
from payments.models import Attempt, LedgerEntry, Payer, PurchaseOrder, Quote, Seat, Vendor
from payments.purchase_orders import normalise
from portfolios.models import Entry, Factor, Requirement, Upload
from scoring.models import (
    Assignment,
    Benchmark,
    Certificate,
    Criterion,
    HolderChoices,
    Level,
    PublicMailDomain,
    Rating,
    Reference,
    ReferenceSignature,
    ReferenceValue,
    Release,
    Result,
    Rubric,
    Scorer,
    ScoringPolicy,
    Sheet,
    Standard,
    Trial,
)

ZONE = "America/Chicago"
MICROSECOND = timedelta(microseconds=1)
_number = count(1)


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """An instant as the programme's clock on the wall shows it."""
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(ZONE))


def make_user(name: str = "", *roles: str, email: str = "", **fields: Any) -> User:
    number = next(_number)
    name = name or f"Person {number}"
    email = email or f"person{number}@example.org"
    user = User.objects.create(
        email=email, name=name, password="!", **{"is_staff": bool(set(roles) & {"staff", "finance"}), **fields}
    )
    for role in roles:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user


def make_programme(**fields: Any) -> Programme:
    defaults: dict[str, Any] = {
        "name": "ICG Certification",
        "first_cohort_year": 2017,
        "registration_first": "11-01",
        "registration_last": "01-31",
        "submission_first": "05-01",
        "submission_last": "06-15",
        "release_on": "10-31",
        "release_hour": 9,
        "fee_minor": 40000,
        "contact_email": "certification@example.org",
    }
    return Programme.objects.create(**{**defaults, **fields})


def make_text(
    kind: str = PolicyText.Kind.ATTESTATION, version: int = 1, body: str = "I state that this is true."
) -> PolicyText:
    return PolicyText.objects.get_or_create(kind=kind, version=version, defaults={"body": body})[0]


def make_cohort(year: int = 2026, **fields: Any) -> Cohort:
    window = whole_days(date(year, 11, 1), date(year + 1, 1, 31), ZONE)
    defaults = {
        "number": year - 2016,
        "registration_opens_at": window.opens_at,
        "registration_closes_at": window.closes_at,
        "fee_minor": 40000,
        "currency": "USD",
    }
    return Cohort.objects.get_or_create(year=year, defaults={**defaults, **fields})[0]


def make_cycle(year: int = 2027, **fields: Any) -> Cycle:
    window = whole_days(date(year, 5, 1), date(year, 6, 15), ZONE)
    defaults = {
        "opens_at": window.opens_at,
        "closes_at": window.closes_at,
        "releases_at": start_of(date(year, 10, 31), ZONE) + timedelta(hours=9),
    }
    return Cycle.objects.get_or_create(year=year, defaults={**defaults, **fields})[0]


def make_registration(user: User | None = None, cohort: Cohort | None = None, **fields: Any) -> Registration:
    user = user or make_user()
    cohort = cohort or make_cohort()
    registered_at = fields.pop("registered_at", at(cohort.year, 11, 15, 10))
    defaults: dict[str, Any] = {
        "employer": "Lakeside School District",
        "district": "Lakeside School District",
        "school": "Lakeside Elementary",
        "role_title": "Instructional coach",
        "is_full_time": True,
        "supervisor_name": "Sam Supervisor",
        "supervisor_email": "supervisor@example.org",
        "hours_coaching": Decimal("32"),
        "hours_administrative": Decimal("8"),
        "attestation": make_text(),
        "signature": user.name,
        "signed_at": registered_at,
        "fee_minor": cohort.fee_minor,
        "currency": cohort.currency,
        "payment_status": Registration.Payment.PAID,
    }
    return Registration.objects.create(user=user, cohort=cohort, registered_at=registered_at, **{**defaults, **fields})


def make_evidence_request(
    registration: Registration | None = None, *, pdf: bytes = b"", **fields: Any
) -> EvidenceRequest:
    """A question that waits for its candidate; with the bytes of a PDF, one that they answered."""
    registration = registration or make_registration()
    asked_at = registration.registered_at + timedelta(days=7)
    defaults: dict[str, Any] = {"question": "Please send a letter.", "asked_by": make_user(), "asked_at": asked_at}
    status = Registration.Status.EVIDENCE_RECEIVED if pdf else Registration.Status.EVIDENCE_REQUESTED
    Registration.objects.filter(pk=registration.pk).update(status=status)
    if pdf:
        defaults |= {"answered_at": asked_at + timedelta(days=1), "document": ContentFile(pdf, "letter.pdf")}
    return EvidenceRequest.objects.create(registration=registration, **{**defaults, **fields})


def make_extension(registration: Registration, cycle: Cycle | None = None, **fields: Any) -> Extension:
    """A week more than everybody else."""
    cycle = cycle or make_cycle(registration.cohort.year + 1)
    defaults: dict[str, Any] = {
        "closes_at": cycle.closes_at + timedelta(days=7),
        "reason": "The storm of 14 June took the power.",
        "granted_by": fields.pop("granted_by", None) or make_user("", "staff"),
        "granted_at": cycle.closes_at - timedelta(days=1),
    }
    return Extension.objects.create(registration=registration, cycle=cycle, **{**defaults, **fields})


def make_attempt(registration: Registration, **fields: Any) -> Attempt:
    """An open attempt of the fake provider, begun five minutes ago. Nothing is known of it there."""
    began = fields.pop("opened_at", at(registration.cohort.year, 12, 10, 10))
    defaults: dict[str, Any] = {
        "provider": "fake",
        "amount_minor": registration.fee_minor,
        "currency": registration.currency,
        "state": Attempt.State.OPEN,
        "idem_key": f"open-{uuid4()}",
        "request": {
            "description": "Certification fee",
            "email": registration.user.email,
            "return_url": "http://localhost:8000/dashboard/",
            "expires_at": (began + timedelta(minutes=32)).isoformat(),
        },
        "opened_at": began,
        "expires_at": began + timedelta(minutes=32),
    }
    return Attempt.objects.create(registration=registration, **{**defaults, **fields})


def make_ledger_entry(registration: Registration | None, **fields: Any) -> LedgerEntry:
    """The whole fee, charged by card, unless told otherwise. The cached payment status is the caller's business."""
    when = fields.pop("occurred_at", at(2026, 12, 10, 10))
    defaults: dict[str, Any] = {
        "kind": LedgerEntry.Kind.CHARGE,
        "amount_minor": registration.fee_minor if registration else 40000,
        "currency": "USD",
        "provider": "fake",
        "txn_ref": uuid4().hex,
    }
    return LedgerEntry.objects.create(
        registration=registration, occurred_at=when, recorded_at=when, **{**defaults, **fields}
    )


def make_order(cohort: Cohort | None = None, **fields: Any) -> PurchaseOrder:
    """An order over one fee, being checked, without seats. Its document is a name; see the payments tests for bytes."""
    cohort = cohort or make_cohort()
    number = fields.get("number") or f"PO {next(_number)}"
    defaults: dict[str, Any] = {
        "payer": fields.pop("payer", None) or make_payer(),
        "cohort": cohort,
        "payable_email": "payable@example.org",
        "number": number,
        "number_normalised": normalise(number),
        "issued_on": date(cohort.year, 12, 1),
        "amount_minor": cohort.fee_minor,
        "currency": cohort.currency,
        "document": f"purchase-orders/{uuid4().hex}.pdf",
        "document_sha256": "0" * 64,
        "submitted_at": at(cohort.year, 12, 10, 10),
    }
    return PurchaseOrder.objects.create(**{**defaults, **fields})


def make_seat(order: PurchaseOrder, registration: Registration | None = None, **fields: Any) -> Seat:
    """Taken by the registration, free without one."""
    defaults: dict[str, Any] = {
        "price_minor": order.cohort.fee_minor,
        "currency": order.cohort.currency,
        "state": Seat.State.CLAIMED if registration else Seat.State.FREE,
        "registration": registration,
        "claimed_at": order.submitted_at if registration else None,
    }
    return Seat.objects.create(order=order, **{**defaults, **fields})


def make_purchase_order(registration: Registration, **fields: Any) -> PurchaseOrder:
    """What a candidate handed in for their own seat: being checked unless `state` says otherwise."""
    own = {"payer": make_payer(registration.district), "submitted_by": registration.user}
    own |= {"contact_name": registration.user.name, "contact_email": registration.user.email}
    order = make_order(registration.cohort, **{**own, **fields})
    state = Seat.State.CLAIMED if order.state in PurchaseOrder.LIVE else Seat.State.RELEASED
    make_seat(order, registration, state=state)
    return order


def make_quote(registration: Registration | None = None, **fields: Any) -> Quote:
    """Made on 1 December for three coaches, and good until the end of 30 January. Its document is a name."""
    cohort = fields.pop("cohort", None) or (registration.cohort if registration else make_cohort())
    requested_at = fields.pop("requested_at", at(cohort.year, 12, 1, 9))
    defaults: dict[str, Any] = {
        "number": f"Q-{cohort.year}-{next(_number):04}",
        "cohort": cohort,
        "registration": registration,
        "payer_name": "Lakeside School District",
        "contact_name": "Connie Contact",
        "contact_email": "connie@example.org",
        "seats": 3,
        "price_minor": cohort.fee_minor,
        "currency": cohort.currency,
        "content": {},
        "document": f"quotes/{uuid4().hex}.pdf",
        "document_sha256": "0" * 64,
        "requested_at": requested_at,
        "valid_until": at(cohort.year + 1, 1, 31),
    }
    return Quote.objects.create(**{**defaults, **fields})


def make_vendor(**fields: Any) -> Vendor:
    """Us, with everything an office wants to know, and no W-9."""
    defaults: dict[str, Any] = {
        "legal_name": "Instructional Coaching Group",
        "remit_to": "Instructional Coaching Group\nPO Box 100\nSpringfield, KS 66000",
        "ach_details": "First Bank of Springfield\nRouting 000000000",
        "contact_email": "billing@example.org",
    }
    return Vendor.objects.first() or Vendor.objects.create(**{**defaults, **fields})


def make_payer(name: str = "Lakeside School District", **fields: Any) -> Payer:
    defaults = {"bill_to": "Accounts Payable\n1 Main Street", "email": f"payable{next(_number)}@example.org"}
    known = {"name_normalised": name.casefold()}
    return Payer.objects.get_or_create(**known, defaults={"name": name, **defaults, **fields})[0]


def make_accepted_order(
    payer: Payer | None = None, coaches: Sequence[Registration | None] = (None,), **fields: Any
) -> PurchaseOrder:
    """An order that holds one seat for each of `coaches`: taken by a registration, free for None. Not invoiced yet."""
    cohort = next((coach.cohort for coach in coaches if coach), None) or make_cohort()
    number = fields.pop("number", f"PO {next(_number)}")
    defaults: dict[str, Any] = {
        "payer": payer or make_payer(),
        "cohort": cohort,
        "contact_name": "Connie Contact",
        "contact_email": "connie@example.org",
        "ship_to": "Lakeside Elementary\n12 Lake Road",
        "state": PurchaseOrder.State.ACCEPTED,
        "amount_minor": cohort.fee_minor * len(coaches),
        "decided_by": make_user("", "staff"),
        "decided_at": at(cohort.year, 12, 10, 10),
    }
    order = make_order(number=number, **{**defaults, **fields})
    for coach in coaches:
        make_seat(order, coach)
    return order


def make_factor(number: int = 1, **fields: Any) -> Factor:
    defaults = {"name": f"Factor {number}", "summary": f"What factor {number} shows."}
    return Factor.objects.get_or_create(number=number, defaults={**defaults, **fields})[0]


def make_requirement(factor: Factor | None = None, key: str = "commentary", **fields: Any) -> Requirement:
    factor = factor or make_factor()
    defaults = {
        "position": factor.requirements.count() + 1,
        "kind": Requirement.Kind.DOCUMENT,
        "title": key.replace("-", " ").capitalize(),
        "instructions": "Write it in one document.",
    }
    return Requirement.objects.get_or_create(factor=factor, key=key, defaults={**defaults, **fields})[0]


def make_entry(
    registration: Registration | None = None, factor: Factor | None = None, cycle: Cycle | None = None, **fields: Any
) -> Entry:
    """A draft, unless `status` says otherwise; then with the manifest and the times that the database asks for."""
    registration = registration or make_registration()
    cycle = cycle or make_cycle(registration.cohort.year + 1)
    defaults: dict[str, Any] = {"created_at": cycle.opens_at}
    if fields.get("status") in {Entry.Status.SUBMITTED, Entry.Status.LOCKED}:
        defaults |= {"submitted_at": cycle.opens_at + timedelta(days=1), "manifest": {"files": []}}
        defaults |= {"manifest_sha256": sha256(b"{}").hexdigest()}
    if fields.get("status") == Entry.Status.LOCKED:
        defaults |= {"locked_at": cycle.closes_at}
    return Entry.objects.create(
        registration=registration, factor=factor or make_factor(), cycle=cycle, **{**defaults, **fields}
    )


def make_upload(entry: Entry | None = None, requirement: Requirement | None = None, **fields: Any) -> Upload:
    """A document that has arrived and been found good, but whose bytes are nowhere."""
    entry = entry or make_entry()
    requirement = requirement or make_requirement(entry.factor)
    defaults: dict[str, Any] = {
        "owner": entry.registration.user,
        "filename": "My commentary.pdf",
        "extension": ".pdf",
        "size": 1000,
        "part_size": 8 * 1024 * 1024,
        "fingerprint": sha256(uuid4().bytes).hexdigest(),
        "storage_key": f"uploads/{uuid4().hex}",
        "state": Upload.State.READY,
        "tree_sha256": "k6dZ-1",
        "created_at": entry.created_at,
        "stored_at": entry.created_at,
    }
    return Upload.objects.create(entry=entry, requirement=requirement, **{**defaults, **fields})


def make_policy(version: int = 1, **fields: Any) -> ScoringPolicy:
    defaults = {
        "threshold": Decimal("2.75"),
        "floor": Decimal("1.75"),
        "adjudication_gap": Decimal("1.25"),
        "double_band": Decimal("0.25"),
        "double_percent": 0,
        "double_first_entries": 0,
    }
    return ScoringPolicy.objects.get_or_create(version=version, defaults={**defaults, **fields})[0]


def make_rubric(factor: Factor | None = None, criteria: int = 3, version: int = 1) -> Rubric:
    factor = factor or make_factor()
    rubric, is_new = Rubric.objects.get_or_create(
        factor=factor,
        version=version,
        defaults={"content_hash": sha256(f"{factor.number}/{version}".encode()).hexdigest()},
    )
    if is_new:
        names = [
            "Little or no evidence",
            "Limited evidence",
            "Clear evidence",
            "Clear, consistent and convincing evidence",
        ]
        Level.objects.bulk_create(
            Level(rubric=rubric, number=n + 1, name=name, words=f"{name}.") for n, name in enumerate(names)
        )
        Criterion.objects.bulk_create(
            Criterion(rubric=rubric, position=n, name=f"Criterion {n}", question=f"Is criterion {n} met?")
            for n in range(1, criteria + 1)
        )
    return rubric


def make_scorer(name: str = "", *roles: str, district: str = "Elsewhere District", **fields: Any) -> User:
    """Everybody's address here is of one domain, which therefore says nothing about them."""
    user = make_user(name, *(roles or ("scorer",)), email=fields.pop("email", ""))
    PublicMailDomain.objects.get_or_create(domain="example.org")
    Scorer.objects.create(user=user, district=district, employer=fields.pop("employer", district), **fields)
    return user


def make_assignment(entry: Entry, scorer: User, role: str = Assignment.Role.FIRST, **fields: Any) -> Assignment:
    defaults = {"reason": "coverage", "assigned_at": entry.cycle.closes_at + timedelta(days=1)}
    return Assignment.objects.create(entry=entry, scorer=scorer, role=role, **{**defaults, **fields})


def make_sheet(assignment: Assignment, *values: str, final: bool = True) -> Sheet:
    """A sheet with one value per criterion ("3.00", ...); final unless told otherwise."""
    rubric = make_rubric(assignment.entry.factor)
    when = assignment.assigned_at + timedelta(days=1)
    sheet = Sheet.objects.create(
        assignment=assignment,
        rubric=rubric,
        status=Sheet.Status.FINAL if final else Sheet.Status.DRAFT,
        version=1,
        saved_at=when,
        finalised_at=when if final else None,
    )
    Rating.objects.bulk_create(
        Rating(sheet=sheet, criterion=criterion, value=Decimal(value), evidence="Seen at 2:10.")
        for criterion, value in zip(rubric.criteria.all(), values, strict=True)
    )
    return sheet


def make_readings(entry: Entry, *readings: tuple[str, ...]) -> Entry:
    """Final sheets of the entry by scorers of their own: the first and the second reading, then a lead scorer's."""
    roles = [Assignment.Role.FIRST, Assignment.Role.SECOND, Assignment.Role.ADJUDICATION]
    for role, values in zip(roles, readings, strict=False):
        make_sheet(make_assignment(entry, make_scorer(), role), *values)
    return entry


def make_scored_entry(
    registration: Registration, number: int = 1, *readings: tuple[str, ...], year: int = 0, **fields: Any
) -> Entry:
    """A locked entry for factor `number`, read as `readings` say; twice with 3.00 throughout unless told otherwise."""
    entry = make_entry(
        registration,
        make_factor(number),
        make_cycle(year or registration.cohort.year + 1),
        status=Entry.Status.LOCKED,
        **fields,
    )
    return make_readings(entry, *(readings or (("3.00",) * 3,) * 2))


def make_release(cycle: Cycle | None = None, state: str = Release.State.APPROVED, **fields: Any) -> Release:
    """Prepared and approved by two people a week and six days before the announced instant."""
    cycle = cycle or make_cycle()
    defaults: dict[str, Any] = {
        "policy": make_policy(),
        "prepared_by": fields.pop("prepared_by", None) or make_user("", "staff"),
        "prepared_at": cycle.releases_at - timedelta(days=7),
        "releases_at": cycle.releases_at,
    }
    if state != Release.State.PREPARED:
        defaults |= {"approved_by": make_user("", "staff"), "approved_at": cycle.releases_at - timedelta(days=6)}
    if state == Release.State.RELEASED:
        defaults |= {"released_at": cycle.releases_at}
    return Release.objects.create(cycle=cycle, state=state, **{**defaults, **fields})


def make_locked(registration: Registration | None = None, factor: int = 1, **fields: Any) -> Entry:
    """An entry handed in for good, of a factor that has a rubric: what scoring works on."""
    rubric = make_rubric(make_factor(factor))
    return make_entry(registration, rubric.factor, status=Entry.Status.LOCKED, **fields)


def make_reading(entry: Entry, scorer: User, *values: str, role: str = Assignment.Role.FIRST) -> Sheet:
    """Somebody's reading of an entry: final with these values, or not begun when there are none."""
    assignment = make_assignment(entry, scorer, role)
    if values:
        return make_sheet(assignment, *values)
    return Sheet.objects.create(assignment=assignment, rubric=make_rubric(entry.factor))


def make_result(registration: Registration | None = None, cycle: Cycle | None = None, **fields: Any) -> Result:
    """Certified with 3.00 in every factor, and told, at the announced instant. Without scores of entries."""
    registration = registration or make_registration()
    cycle = cycle or make_cycle(registration.cohort.year + 1)
    released_at = fields.pop("released_at", cycle.releases_at)
    defaults: dict[str, Any] = {
        "policy": make_policy(),
        "status": Result.Status.CERTIFIED,
        "total_numerator": 21,
        "total_denominator": 1,
        "factors_scored": 7,
        "standing": [
            {"factor": number, "name": f"Factor {number}", "year": cycle.year, "score": [3, 1]}
            for number in range(1, 8)
        ],
        "told_at": released_at,
    }
    return Result.objects.create(
        registration=registration, cycle=cycle, released_at=released_at, **{**defaults, **fields}
    )


def make_certificate(registration: Registration | None = None, **fields: Any) -> Certificate:
    """Of a result that certified its holder at the release of the cohort's first cycle, and issued with it."""
    registration = registration or make_registration()
    cycle = make_cycle(registration.cohort.year + 1)
    if not Release.objects.filter(cycle=cycle).exists():
        make_release(cycle, Release.State.RELEASED)
    result = fields.pop("result", None) or make_result(registration, cycle)
    defaults: dict[str, Any] = {"holder_name": registration.user.name, "issued_at": result.released_at}
    return Certificate.objects.create(registration=registration, result=result, **{**defaults, **fields})


def make_choices(user: User, **fields: Any) -> HolderChoices:
    """Listed in the directory with nothing but the name, unless told otherwise."""
    defaults: dict[str, Any] = {"shows_name": True, "is_listed": True, "shows_district": False, "names_email": False}
    return HolderChoices.objects.create(user=user, **{**defaults, "chosen_at": at(2027, 11, 1), **fields})


def make_standard(factor: Factor | None = None, **fields: Any) -> Standard:
    """Two benchmarks; half of the values exact, four in five near, none more than a point away; no seeds."""
    defaults: dict[str, Any] = {"benchmarks": 2, "exact_percent": 50, "near_percent": 80, "farthest": Decimal("1.00")}
    return Standard.objects.create(factor=factor, **{**defaults, "made_at": at(2027, 1, 1), **fields})


def make_benchmark(*values: str, factor: int = 1, signatures: int = 2, **fields: Any) -> Benchmark:
    """A released entry with a document, valued (3.00 throughout unless told otherwise), signed by leads of its own."""
    entry = fields.pop("entry", None) or make_locked(None, factor, outcome=Entry.Outcome.BANKED)
    make_upload(entry)
    lead, when = make_scorer("", "lead scorer"), entry.cycle.closes_at
    defaults: dict[str, Any] = {"use": Benchmark.Use.CALIBRATION, "position": next(_number)}
    defaults |= {"permission": "By e-mail of 3 May.", "chosen_by": lead, "chosen_at": when}
    benchmark = Benchmark.objects.create(entry=entry, **{**defaults, **fields})
    if signatures:
        make_reference(benchmark, *(values or ("3.00",) * 3), lead=lead, signatures=signatures)
    return benchmark


def make_reference(benchmark: Benchmark, *values: str, lead: User, signatures: int = 2) -> Reference:
    """The next version, by `lead`, signed by them and others."""
    rubric, when = make_rubric(benchmark.entry.factor), benchmark.chosen_at
    trial = Trial.objects.create(benchmark=benchmark, scorer=lead, use=Trial.Use.REFERENCE, given_at=when)
    sheet = Sheet.objects.create(trial=trial, rubric=rubric, status=Sheet.Status.FINAL, finalised_at=when)
    made = Reference.objects.create(
        benchmark=benchmark,
        version=benchmark.references.count() + 1,
        rubric=rubric,
        sheet=sheet,
        written_by=lead,
        written_at=when,
    )
    ReferenceValue.objects.bulk_create(
        ReferenceValue(reference=made, criterion=criterion, value=Decimal(value), rationale=f"Why {value}.")
        for criterion, value in zip(rubric.criteria.all(), values, strict=True)
    )
    for number in range(signatures):
        by = make_scorer("", "lead scorer") if number else lead
        ReferenceSignature.objects.create(reference=made, by=by, at=when)
    return made
