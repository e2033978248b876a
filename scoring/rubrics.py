"""What factors are judged by. A rubric is its words: it is known by their hash and never changes.

Sheets and results point at the rubric they were made with, so other words are always another version; the database
refuses to change the words of one that exists.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256

from django.db import transaction
from django.db.models import Max

from candidates.models import User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from portfolios.models import Factor
from scoring.models import Criterion, Level, Rubric

LEVEL_NUMBERS = [4, 3, 2, 1]


@dataclass(frozen=True, slots=True)
class LevelWords:
    """What one of the four levels is called and when evidence reaches it."""

    number: int
    name: str
    words: str


@dataclass(frozen=True, slots=True)
class CriterionWords:
    """What a scorer values on its own, and the question asked of the evidence."""

    name: str
    question: str


def content_hash(levels: Iterable[LevelWords], criteria: Iterable[CriterionWords]) -> str:
    """SHA-256, 64 hex digits, of the words: levels by number, criteria in the order scorers see them."""
    content = {
        "levels": [asdict(level) for level in sorted(levels, key=lambda level: -level.number)],
        "criteria": [asdict(criterion) for criterion in criteria],
    }
    return sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def words_of(rubric: Rubric) -> tuple[list[LevelWords], list[CriterionWords]]:
    """The words a rubric consists of, as `publish` takes them."""
    levels = [LevelWords(level.number, level.name, level.words) for level in rubric.levels.all()]
    criteria = [CriterionWords(criterion.name, criterion.question) for criterion in rubric.criteria.all()]
    return levels, criteria


@transaction.atomic
def publish(
    factor: Factor,
    levels: Iterable[LevelWords],
    criteria: Iterable[CriterionWords],
    *,
    by: User | None,
    at: datetime,
) -> Rubric:
    """Make these words what the factor is judged by from now on; sheets that exist keep theirs.

    The same words are the same rubric, even when an older version said them: it becomes current again. Refused
    "levels-incomplete" unless there are exactly the levels 4 to 1, "no-criteria", "criterion-twice", "words-missing".
    """
    levels, criteria = _trimmed(levels, criteria)
    _refuse_incomplete(levels, criteria)
    Factor.objects.select_for_update().get(pk=factor.pk)
    digest = content_hash(levels, criteria)
    before = factor.rubrics.current().first()
    if before and before.content_hash == digest:
        return before
    factor.rubrics.current().update(is_current=False)
    rubric = factor.rubrics.filter(content_hash=digest).first() or _write(factor, levels, criteria, digest)
    Rubric.objects.filter(pk=rubric.pk).update(is_current=True)
    rubric.refresh_from_db()
    was = {"version": before.version} if before else None
    trail.record("rubric.publish", rubric, by=by, at=at, before=was, after={"version": rubric.version})
    return rubric


def _write(factor: Factor, levels: list[LevelWords], criteria: list[CriterionWords], digest: str) -> Rubric:
    newest = factor.rubrics.aggregate(newest=Max("version"))["newest"] or 0
    rubric = Rubric.objects.create(factor=factor, version=newest + 1, content_hash=digest, is_current=False)
    Level.objects.bulk_create(Level(rubric=rubric, **asdict(level)) for level in levels)
    Criterion.objects.bulk_create(
        Criterion(rubric=rubric, position=position, **asdict(criterion))
        for position, criterion in enumerate(criteria, start=1)
    )
    return rubric


def _trimmed(
    levels: Iterable[LevelWords], criteria: Iterable[CriterionWords]
) -> tuple[list[LevelWords], list[CriterionWords]]:
    return (
        sorted(
            (LevelWords(level.number, level.name.strip(), _lines(level.words)) for level in levels),
            key=lambda level: -level.number,
        ),
        [CriterionWords(criterion.name.strip(), _lines(criterion.question)) for criterion in criteria],
    )


def _lines(text: str) -> str:
    """As a browser's text area would post it back: without stray space at the ends, lines ending alike."""
    return "\n".join(text.strip().splitlines())


def _refuse_incomplete(levels: list[LevelWords], criteria: list[CriterionWords]) -> None:
    if [level.number for level in levels] != LEVEL_NUMBERS:
        raise Refused("levels-incomplete", "A rubric has exactly four levels: 4, 3, 2 and 1. Write words for each.")
    if not criteria:
        raise Refused("no-criteria", "A rubric needs at least one criterion, or there is nothing to score.")
    names = [criterion.name for criterion in criteria]
    if len(set(names)) < len(names):
        raise Refused("criterion-twice", "Two criteria have the same name. Give each its own.")
    if not all([level.name and level.words for level in levels] + [c.name and c.question for c in criteria]):
        raise Refused("words-missing", "Every level and every criterion needs a name and its words.")
