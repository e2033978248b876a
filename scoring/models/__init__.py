"""How entries are judged, and when it is told."""

from scoring.models.gate import (
    DryRun,
    DryRunRow,
    DryRunRowQuerySet,
    GateException,
    ResultHold,
    ResultHoldQuerySet,
)
from scoring.models.impartiality import (
    DeclaredTie,
    PublicMailDomain,
    Qualification,
    QualificationQuerySet,
    Statement,
)
from scoring.models.readings import Assignment, Rating, Recusal, Scorer, ScorerQuerySet, Sheet, SheetQuerySet
from scoring.models.results import Certificate, CertificateQuerySet, FactorScore, Release, Result, ResultQuerySet
from scoring.models.rubrics import (
    Criterion,
    CyclePolicy,
    FeedbackStatement,
    Level,
    ReadingTime,
    Rubric,
    RubricQuerySet,
    ScoringPolicy,
)

__all__ = [
    "Assignment",
    "Certificate",
    "CertificateQuerySet",
    "Criterion",
    "CyclePolicy",
    "DeclaredTie",
    "DryRun",
    "DryRunRow",
    "DryRunRowQuerySet",
    "FactorScore",
    "FeedbackStatement",
    "GateException",
    "Level",
    "PublicMailDomain",
    "Qualification",
    "QualificationQuerySet",
    "Rating",
    "ReadingTime",
    "Recusal",
    "Release",
    "Result",
    "ResultHold",
    "ResultHoldQuerySet",
    "ResultQuerySet",
    "Rubric",
    "RubricQuerySet",
    "Scorer",
    "ScorerQuerySet",
    "ScoringPolicy",
    "Sheet",
    "SheetQuerySet",
    "Statement",
]
