"""Who may take part, in which cohort and cycle."""

from candidates.models.people import CODE_ALPHABET, User, UserManager, new_code, normalised_code
from candidates.models.programme import Edition, PolicyText, Programme, month_day, new_edition
from candidates.models.registrations import (
    EvidenceRequest,
    EvidenceRequestQuerySet,
    Extension,
    Registration,
    RegistrationQuerySet,
    evidence_path,
)
from candidates.models.years import Cohort, CohortQuerySet, Cycle

__all__ = [
    "CODE_ALPHABET",
    "Cohort",
    "CohortQuerySet",
    "Cycle",
    "Edition",
    "EvidenceRequest",
    "EvidenceRequestQuerySet",
    "Extension",
    "PolicyText",
    "Programme",
    "Registration",
    "RegistrationQuerySet",
    "User",
    "UserManager",
    "evidence_path",
    "month_day",
    "new_code",
    "new_edition",
    "normalised_code",
]
