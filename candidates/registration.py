"""Registering, and what becomes of a registration: withdrawn by the candidate, decided by staff, lapsed by the clock.

Money is not looked at here beyond the cache `payment_status`; payments finds the rows by itself.
"""

from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from candidates.eligibility import Statement, unmet
from candidates.models import Cohort, PolicyText, Programme, Registration, User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from icg_cert.lib.windows import Phase
from icg_cert.mail import outbox

Status = Registration.Status


@transaction.atomic
def register(statement: Statement, *, by: User, at: datetime) -> Registration:
    """The person's registration in the cohort open at `at`; the same one again when they ask twice.

    Refused "window-closed" outside every window, "under-way" while they are in an earlier cohort's process,
    "attestation-changed" when they read an older text, "not-eligible" with one message for each unmet requirement.
    """
    user = User.objects.select_for_update().get(pk=by.pk)  # a second tab waits here, then finds the row
    cohort = _open_cohort(at)
    already = Registration.objects.filter(user=user, cohort=cohort).first()
    if already:
        return already
    _refuse_second_process(user, at)
    text = PolicyText.current(PolicyText.Kind.ATTESTATION)
    _look_again(statement, user, text)
    registration = _write(statement, user, cohort, text, at)
    trail.record("registration.register", registration, by=by, at=at, after={"status": registration.status})
    outbox.queue("registered", to=user, key=f"registered:{registration.pk}", at=at, registration=registration)
    return registration


def _open_cohort(at: datetime) -> Cohort:
    cohort = Cohort.objects.open(at).first()
    if cohort is None:
        raise Refused("window-closed", "Registration is closed at the moment, so nothing was registered.")
    return cohort


def _refuse_second_process(user: User, at: datetime) -> None:
    running = Registration.objects.filter(user=user).under_way(at).select_related("cohort").first()
    if running:
        message = (
            f"You already take part in cohort {running.cohort.number}, and your process is still under way, so nothing "
            "was registered and nothing is owed. Your dashboard says what comes next."
        )
        raise Refused("under-way", message)


def _look_again(statement: Statement, user: User, text: PolicyText) -> None:
    if statement.attestation_version != text.version:
        raise Refused(
            "attestation-changed",
            "The attestation has changed since you opened this page.",
            fields={"signature": "The attestation has changed since you opened this page. Read it, then sign again."},
        )
    lacking = unmet(statement, Programme.objects.get().coaching_share, user.name)
    if lacking:
        raise Refused(
            "not-eligible",
            " ".join(str(requirement) for requirement in lacking),
            fields={requirement.field: str(requirement) for requirement in lacking},
        )


def _write(statement: Statement, user: User, cohort: Cohort, text: PolicyText, at: datetime) -> Registration:
    stated = asdict(statement)
    hours = {f"hours_{kind}": value for kind, value in stated.pop("hours").items()}
    stated.pop("attestation_version")
    return Registration.objects.create(
        user=user,
        cohort=cohort,
        attestation=text,
        registered_at=at,
        signed_at=at,
        fee_minor=cohort.fee_minor,
        currency=cohort.currency,
        **stated,
        **hours,
    )


@transaction.atomic
def withdraw(registration_id: int, *, by: User, at: datetime) -> Registration:
    """End one's own registration, for good. Refused "illegal-transition" when it has ended otherwise."""
    registration = locked(registration_id)
    if move(registration, Status.WITHDRAWN, verb="registration.withdraw", by=by, at=at):
        outbox.queue(
            "registration_withdrawn",
            to=registration.user,
            key=f"registration_withdrawn:{registration.pk}",
            at=at,
            registration=registration,
        )
    return registration


@transaction.atomic
def lapse(registration_id: int, *, by: User | None, at: datetime) -> Registration:
    """End a registration whose seat nobody held when registration closed.

    Whether a payment is still under way only payments knows, which therefore calls this. Refused "window-open" before
    the closing, "seat-held" when it is paid or its purchase order accepted.
    """
    registration = locked(registration_id)
    if registration.cohort.phase(at) != Phase.AFTER:
        raise Refused("window-open", "Registration is still open, so there is time to pay.")
    if registration.holds_seat:
        raise Refused("seat-held", "This seat is paid for or held by a purchase order.")
    if move(registration, Status.LAPSED, verb="registration.lapse", by=by, at=at):
        outbox.queue(
            "registration_lapsed",
            to=registration.user,
            key=f"registration_lapsed:{registration.pk}",
            at=at,
            registration=registration,
        )
    return registration


@transaction.atomic
def approve(registration_id: int, *, by: User, at: datetime) -> Registration:
    """Confirm eligibility after an audit, or take a refusal back. Refused "own-registration", "illegal-transition"."""
    registration = locked(registration_id)
    refuse_own(registration, by)
    was = registration.status
    if move(registration, Status.APPROVED, verb="registration.approve", by=by, at=at):
        # Approved, questioned and approved again are two facts, of which the candidate hears twice.
        key = f"registration_approved:{registration.pk}:{at.isoformat()}"
        outbox.queue(
            "registration_approved",
            to=registration.user,
            key=key,
            at=at,
            registration=registration,
            was_refused=was == Status.REFUSED,
        )
    return registration


@transaction.atomic
def refuse(registration_id: int, *, reason: str, by: User, at: datetime) -> Registration:
    """Find somebody not eligible; they read the reason. Refused "reason-missing", "own-registration", ..."""
    registration = locked(registration_id)
    refuse_own(registration, by)
    if not reason.strip():
        raise Refused("reason-missing", "Give the reason. The candidate reads it.", fields={"reason": "Give a reason."})
    if move(registration, Status.REFUSED, verb="registration.refuse", by=by, at=at, reason=reason.strip()):
        key = f"registration_refused:{registration.pk}:{at.isoformat()}"
        outbox.queue(
            "registration_refused",
            to=registration.user,
            key=key,
            at=at,
            registration=registration,
            reason=registration.status_reason,
            contact_email=Programme.objects.get().contact_email,
        )
    return registration


def refuse_own(registration: Registration, by: User) -> None:
    """Nobody decides about themselves."""
    if registration.user_id == by.pk:
        raise Refused("own-registration", "This is your own registration; somebody else has to decide about it.")


def locked(registration_id: int) -> Registration:
    """The row, locked until the end of the transaction, with its person and cohort read along."""
    rows = Registration.objects.select_for_update(of=("self",)).select_related("user", "cohort")
    return rows.get(pk=registration_id)


def move(registration: Registration, to: str, *, verb: str, by: User | None, at: datetime, reason: str = "") -> bool:
    """Change the status of a locked registration and record it; False when it stood there already.

    Refused "illegal-transition" when `Registration.NEXT` does not lead there.
    """
    before = registration.status
    if before == to:
        return False
    if to not in Registration.NEXT[before]:
        now = Status(before).label.lower()
        raise Refused(
            "illegal-transition",
            f"This registration is {now}, so it cannot become “{Status(to).label.lower()}”. Nothing was changed.",
        )
    registration.status = to
    registration.status_reason = reason if to == Status.REFUSED else ""
    registration.save(update_fields=["status", "status_reason"])
    trail.record(verb, registration, by=by, at=at, reason=reason, before={"status": before}, after={"status": to})
    return True
