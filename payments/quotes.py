"""Quotes: what seats for a number of coaches would cost, sent to one address as a link that only its holder opens.

The link is the contact's page through it all: the papers, the order they hand in, the seats it holds. It is a right
like a key, so it leaves by e-mail alone, and nothing that the browser of whoever asked is shown depends on the address.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.urls import reverse

from candidates import announced
from candidates.models import Cohort, Registration
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from icg_cert.lib.windows import Phase, last_day, start_of
from icg_cert.mail import outbox
from payments import acceptance, attempts, numbers, papers
from payments.models import Quote
from payments.payers import normalise, tidy

SALT = "payments.quotes"
MOST_SEATS = 200
# Asked again within it, the same words are the same quote; one letter a minute, for who pressed twice.
REPEAT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody typed who needs a quote."""

    payer_name: str
    contact_name: str
    contact_email: str
    seats: int


@transaction.atomic
def make(wanted: Wanted, *, by: Any = None, at: datetime) -> Quote:
    """A quote of a district for the cohort that is open or opens next, sent to the address it names.

    Refused "window-closed" when no cohort is.
    """
    cohort = announced.foremost_cohort(at)
    if cohort is None or cohort.phase(at) == Phase.AFTER:
        raise Refused("window-closed", "Registration is closed at the moment, and the next dates are not known yet.")
    return _made(wanted, cohort, None, by=by, at=at)


@transaction.atomic
def make_for(registration_id: int, wanted: Wanted, *, by: Any, at: datetime) -> Quote:
    """A quote that a candidate asks for: the first seat is for their own registration."""
    registration = Registration.objects.select_related("cohort").get(pk=registration_id)
    if registration.user_id != by.pk:
        raise Refused("not-yours", "Only the candidate can ask for a quote for their registration.")
    if not registration.is_standing or registration.holds_seat:
        raise Refused("nothing-owed", "There is nothing left to pay for this registration.")
    attempts.check_window(registration.cohort, at)
    if not acceptance.is_accepted(registration):
        raise Refused("not-accepted", "Please read and accept the no-refund policy first.")
    return _made(wanted, registration.cohort, registration, by=by, at=at)


def path(quote: Quote) -> str:
    """The signed link, without the site's address."""
    return reverse("payments:quote", kwargs=link(quote))


def link(quote: Quote) -> dict[str, Any]:
    """What every address behind the signed link is made of."""
    token = Signer(salt=SALT).signature(str(quote.public_id))
    return {"public_id": quote.public_id, "token": token}


def opened(public_id: UUID, token: str) -> Quote:
    """The quote of a signed link. DoesNotExist for a token that is not its own; compared in constant time."""
    try:
        Signer(salt=SALT).unsign(f"{public_id}:{token}")
    except BadSignature as forged:
        raise Quote.DoesNotExist from forged
    rows = Quote.objects.select_related("cohort", "registration__user")
    return rows.get(public_id=public_id)


def _made(wanted: Wanted, cohort: Cohort, registration: Registration | None, *, by: Any, at: datetime) -> Quote:
    """The same one again for who asks twice. Two at once: the second waits for the cohort's row, then finds it."""
    Cohort.objects.select_for_update(no_key=True).get(pk=cohort.pk)
    known = _repeated(wanted, cohort, registration, at)
    quote = known or _insert(wanted, cohort, registration, by=by, at=at)
    minutes = abs(at - quote.requested_at) // timedelta(minutes=1)
    outbox.queue(
        "quote_made",
        to=quote.contact_email,
        key=f"quote_made:{quote.pk}:{minutes}",
        at=at,
        contact_name=quote.contact_name,
        number=quote.number,
        seats=quote.seats,
        money=quote.money,
        cohort=cohort.number,
        valid_until=quote.valid_until,
        quote_path=path(quote),
    )
    return quote


def _repeated(wanted: Wanted, cohort: Cohort, registration: Registration | None, at: datetime) -> Quote | None:
    # Who waited for the lock may have come first: then the one it finds is a moment younger than `at`.
    near = {"requested_at__gt": at - REPEAT, "requested_at__lt": at + REPEAT}
    recent = Quote.objects.filter(cohort=cohort, registration=registration, **near)
    same = recent.filter(contact_email__iexact=wanted.contact_email, seats=wanted.seats)
    name = normalise(wanted.payer_name)
    return next((quote for quote in same if normalise(quote.payer_name) == name), None)


def _insert(wanted: Wanted, cohort: Cohort, registration: Registration | None, *, by: Any, at: datetime) -> Quote:
    price = registration.fee if registration else cohort.fee
    on = at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    after_last_day = on + timedelta(days=papers.vendor().quote_days + 1)
    valid_until = min(cohort.registration_closes_at, start_of(after_last_day, settings.TIME_ZONE))
    number = numbers.next_number(numbers.QUOTE, on=on)
    said: dict[str, Any] = {
        "payer_name": tidy(wanted.payer_name),
        "contact_name": tidy(wanted.contact_name),
        "contact_email": wanted.contact_email,
        "seats": wanted.seats,
    }
    paper = papers.quote(
        number=number,
        on=on,
        valid_until=last_day(valid_until, settings.TIME_ZONE),
        cohort=cohort,
        price=price,
        coach=registration.user.name if registration and wanted.seats == 1 else "",
        **said,
    )
    quote = Quote.objects.create(
        number=number,
        cohort=cohort,
        registration=registration,
        price_minor=price.minor,
        currency=price.currency,
        requested_by=by,
        requested_at=at,
        valid_until=valid_until,
        **said,
        **paper.fields,
    )
    trail.record("quote.make", quote, by=by, at=at, after={"number": number, "seats": quote.seats})
    return quote
