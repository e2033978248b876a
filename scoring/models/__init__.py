"""How entries are judged, and when it is told."""

from scoring.models.readings import Assignment, Rating, Recusal, Scorer, ScorerQuerySet, Sheet, SheetQuerySet
from scoring.models.results import Certificate, CertificateQuerySet, FactorScore, Release, Result, ResultQuerySet
from scoring.models.rubrics import Criterion, FeedbackStatement, Level, Rubric, RubricQuerySet, ScoringPolicy

__all__ = [
    "Assignment",
    "Certificate",
    "CertificateQuerySet",
    "Criterion",
    "FactorScore",
    "FeedbackStatement",
    "Level",
    "Rating",
    "Recusal",
    "Release",
    "Result",
    "ResultQuerySet",
    "Rubric",
    "RubricQuerySet",
    "Scorer",
    "ScorerQuerySet",
    "ScoringPolicy",
    "Sheet",
    "SheetQuerySet",
]
