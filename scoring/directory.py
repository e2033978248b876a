"""The public directory: certified coaches who chose to stand in it, by name, and nobody else."""

from datetime import datetime

from django.db.models import Q
from django.db.models.functions import Lower

from scoring.models import Certificate, CertificateQuerySet
from scoring.states import STATES

OF_HOLDER = "registration__user__holder_choices"


def listed(at: datetime, *, words: str = "", state: str = "") -> CertificateQuerySet:
    """The certificates in force of those who chose so. Each of the `words` is found in what the entry shows.

    Loaded with all that an entry shows. A district that is not shown is not searched either.
    """
    found = (
        Certificate.objects.in_force(at)
        .filter(**{f"{OF_HOLDER}__is_listed": True, "registration__user__is_active": True})
        .select_related("result", f"{OF_HOLDER}")
    )
    if state in STATES:
        found = found.filter(**{f"{OF_HOLDER}__state": state})
    for word in words.split():
        found = found.filter(_shows(word))
    return found.order_by(Lower("holder_name"), "pk")


def _shows(word: str) -> Q:
    states = [key for key, name in STATES.items() if word.casefold() in name.casefold()]
    district = Q(**{f"{OF_HOLDER}__shows_district": True}, registration__district__icontains=word)
    return Q(holder_name__icontains=word) | district | Q(**{f"{OF_HOLDER}__state__in": states})


def place(certificate: Certificate) -> str:
    """What the holder lets stand beside their name: district, state, both or nothing."""
    choices = certificate.registration.user.holder_choices
    district = certificate.registration.district if choices.shows_district else ""
    return ", ".join(part for part in (district, STATES.get(choices.state, "")) if part)
