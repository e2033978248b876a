"""The other way to the same numbers: PostgreSQL adds up whole units, from the single values to the candidate's sum.

The portal takes means of Fractions; here nothing is divided that leaves a rest, and nothing of `scores` is used. Where
the two disagree, no result is told.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from django.db import connection

from candidates.models import Cycle
from scoring.scores import Rules

# Every mean over 1 to 16 criteria, of quarters, of two sheets or of the three that an appeal leaves, and every score of
# three decimals that a correction may name, is a whole number of these parts of a point.
PARTS = 720_720 * 3 * 25
UNIT = 4 * 2 * PARTS

READ = f"""
    sheet AS (
        SELECT assignment.entry_id, assignment.role,
            CASE WHEN {PARTS} %% count(rating.value) = 0
                THEN sum(rating.value * 4)::bigint * ({PARTS} / count(rating.value)) END AS units
        FROM scoring_rating rating
        JOIN scoring_sheet sheet ON sheet.id = rating.sheet_id AND sheet.status = 'final'
        JOIN scoring_assignment assignment ON assignment.id = sheet.assignment_id
        JOIN portfolios_entry entry ON entry.id = assignment.entry_id
        WHERE entry.cycle_id = %(cycle)s AND entry.registration_id = ANY(%(who)s::bigint[]) AND rating.value IS NOT NULL
            AND assignment.role NOT IN ('appeal', 'appeal_lead')
        GROUP BY assignment.entry_id, assignment.role
    ),
    judged AS (
        SELECT entry_id, CASE WHEN bool_or(role = 'adjudication')
            THEN 2 * max(units) FILTER (WHERE role = 'adjudication') ELSE sum(units) * 2 / count(*) END AS units
        FROM sheet GROUP BY entry_id
    )"""  # noqa: S608  numbers of this module
SCORES = f"WITH {READ} SELECT entry_id, units FROM judged"  # noqa: S608
SUMS = f"""
    WITH {READ},
    attempt AS (
        SELECT entry.registration_id, entry.factor_id, %(year)s AS year, judged.units
        FROM judged JOIN portfolios_entry entry ON entry.id = judged.entry_id WHERE entry.status <> 'lapsed'
        UNION ALL
        SELECT result.registration_id, entry.factor_id, cycle.year, score.numerator::bigint * {UNIT} / score.denominator
        FROM scoring_factorscore score
        JOIN scoring_result result ON result.id = score.result_id AND result.superseded_at IS NULL
        JOIN candidates_cycle cycle ON cycle.id = result.cycle_id AND cycle.year < %(year)s
        JOIN portfolios_entry entry ON entry.id = score.entry_id
        WHERE result.registration_id = ANY(%(who)s::bigint[])
    ),
    counting AS (
        SELECT DISTINCT ON (registration_id, factor_id) registration_id, units FROM attempt
        ORDER BY registration_id, factor_id, CASE WHEN %(latest)s THEN year END DESC, units DESC
    )
    SELECT registration_id, sum(units), count(*), min(units) FROM counting GROUP BY registration_id"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Sum:
    """What one candidate's standing scores come to: their sum, how many there are, the lowest."""

    total: Fraction = Fraction(0)
    factors: int = 0
    lowest: Fraction | None = None

    def is_certified(self, rules: Rules) -> bool:
        return (
            self.factors == rules.factors
            and self.total >= rules.threshold * rules.factors
            and self.lowest is not None
            and self.lowest >= rules.floor
        )


@dataclass(frozen=True, slots=True)
class SecondPath:
    """Entry to score, registration to sum. What cannot be computed is not there."""

    scores: dict[int, Fraction] = field(default_factory=dict)
    sums: dict[int, Sum] = field(default_factory=dict)

    def sum_of(self, registration: int) -> Sum:
        return self.sums.get(registration, Sum())


def computed(registrations: Collection[int], cycle: Cycle, rules: Rules) -> SecondPath:
    """For any number of candidates of one cycle, two queries."""
    values: dict[str, Any] = {
        "cycle": cycle.pk,
        "year": cycle.year,
        "who": list(registrations),
        "latest": rules.retake == "latest",
    }
    with connection.cursor() as cursor:
        cursor.execute(SCORES, values)
        scores = {entry: Fraction(int(units), UNIT) for entry, units in cursor if units is not None}
        cursor.execute(SUMS, values)
        sums = {
            who: Sum(Fraction(int(total), UNIT), count, Fraction(int(lowest), UNIT))
            for who, total, count, lowest in cursor
            if total is not None
        }
    return SecondPath(scores, sums)
