"""All that one person has registered for, read once and passed on."""

from candidates import announced
from candidates.models import Registration, User


def registrations(user: User) -> list[Registration]:
    """Theirs, the newest cohort first, each with its cohort and extensions. Two queries, one where there are none."""
    mine = list(user.registrations.order_by().prefetch_related("extensions"))
    cohorts = {cohort.pk: cohort for cohort in announced.cohorts()}
    for registration in mine:
        registration.cohort = cohorts.get(registration.cohort_id) or registration.cohort
    return sorted(mine, key=lambda registration: registration.cohort.year, reverse=True)
