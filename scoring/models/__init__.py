"""How entries are judged, and when it is told."""

from scoring.models.appeals import Appeal, AppealQuerySet, Correction, CorrectionQuerySet
from scoring.models.attention import BackReading, TimeOnSheet
from scoring.models.calibration import (
    Benchmark,
    BenchmarkQuerySet,
    Calibration,
    Pause,
    PauseQuerySet,
    Reference,
    ReferenceQuerySet,
    ReferenceSignature,
    ReferenceValue,
    Standard,
    Trial,
)
from scoring.models.holders import HolderChoices
from scoring.models.impartiality import (
    DeclaredTie,
    PublicMailDomain,
    Qualification,
    QualificationQuerySet,
    Statement,
)
from scoring.models.readings import Assignment, Rating, Recusal, Scorer, ScorerQuerySet, Sheet, SheetQuerySet
from scoring.models.results import Certificate, CertificateQuerySet, FactorScore, Release, Result, ResultQuerySet
from scoring.models.retakes import RetakeWish
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
    "Appeal",
    "AppealQuerySet",
    "Assignment",
    "BackReading",
    "Benchmark",
    "BenchmarkQuerySet",
    "Calibration",
    "Certificate",
    "CertificateQuerySet",
    "Correction",
    "CorrectionQuerySet",
    "Criterion",
    "CyclePolicy",
    "DeclaredTie",
    "FactorScore",
    "FeedbackStatement",
    "HolderChoices",
    "Level",
    "Pause",
    "PauseQuerySet",
    "PublicMailDomain",
    "Qualification",
    "QualificationQuerySet",
    "Rating",
    "ReadingTime",
    "Recusal",
    "Reference",
    "ReferenceQuerySet",
    "ReferenceSignature",
    "ReferenceValue",
    "Release",
    "Result",
    "ResultQuerySet",
    "RetakeWish",
    "Rubric",
    "RubricQuerySet",
    "Scorer",
    "ScorerQuerySet",
    "ScoringPolicy",
    "Sheet",
    "SheetQuerySet",
    "Standard",
    "Statement",
    "TimeOnSheet",
    "Trial",
]
