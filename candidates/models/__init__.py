"""Who may take part, in which cohort and cycle."""

from candidates.models.people import CODE_ALPHABET, User, UserManager, new_code
from candidates.models.programme import PolicyText, Programme, month_day
from candidates.models.registrations import (
    EvidenceRequest,
    EvidenceRequestQuerySet,
    Extension,
    Registration,
    RegistrationQuerySet,
    evidence_path,
)
from candidates.models.years import Cohort, CohortQuerySet, Cycle, CycleQuerySet

__all__ = [
    "CODE_ALPHABET",
    "Cohort",
    "CohortQuerySet",
    "Cycle",
    "CycleQuerySet",
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
]
