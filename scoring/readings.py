"""What the readings of an entry say so far: the scores that are final, what is still open, what must follow."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from django.db.models import QuerySet

from candidates.models import Cycle, Registration
from portfolios.models import Entry
from scoring.models import Assignment, Sheet
from scoring.planner import ADJUDICATION, BAND, FIRST, GAP, RETAKE, SECOND
from scoring.scores import FactorOutcome, Rules, factor_score, is_close_call, lies_apart, sheet_score


@dataclass(frozen=True, slots=True)
class Judged:
    """One entry's readings: role to final score, the roles still being read, whether one reading can be enough."""

    final: dict[str, Fraction]
    open: frozenset[str]
    must_double: bool

    def follows(self, rules: Rules) -> tuple[str, str] | None:
        """The reading that must be added now, as (role, reason); None while one is open or when nothing is missing."""
        first, second = self.final.get(FIRST), self.final.get(SECOND)
        if self.open or first is None or ADJUDICATION in self.final:
            return None
        if second is not None:
            return (ADJUDICATION, GAP) if lies_apart(first, second, rules) else None
        if self.must_double:
            return SECOND, RETAKE
        return (SECOND, BAND) if is_close_call(first, rules) else None

    def outcome(self, rules: Rules) -> FactorOutcome | None:
        """The factor's score; None while any reading is open, missing, or has another to follow it."""
        if self.open or FIRST not in self.final or self.follows(rules) not in (None, (ADJUDICATION, GAP)):
            return None
        return factor_score(self.final[FIRST], self.final.get(SECOND), self.final.get(ADJUDICATION), rules)


def judged(entries: Iterable[Entry]) -> dict[int, Judged]:
    """The readings of many entries in one query; every entry is there, also where nobody reads it yet."""
    retakes = {entry.pk: entry.is_retake for entry in entries}
    values: dict[tuple[int, str], list[Decimal]] = {}
    opened: dict[int, set[str]] = {}
    rows = Assignment.objects.filter(entry__in=retakes).exclude(role__in=Assignment.OF_APPEALS).order_by()
    for entry, role, status, value in rows.values_list("entry", "role", "sheet__status", "sheet__ratings__value"):
        if status == Sheet.Status.FINAL and value is not None:
            values.setdefault((entry, role), []).append(value)
        else:
            opened.setdefault(entry, set()).add(role)
    final: dict[int, dict[str, Fraction]] = {}
    for (entry, role), given in values.items():
        final.setdefault(entry, {})[role] = sheet_score(given)
    return {
        entry: Judged(final.get(entry, {}), frozenset(opened.get(entry, ())), must_double)
        for entry, must_double in retakes.items()
    }


def to_be_read(cycle: Cycle) -> QuerySet[Entry]:
    """The cycle's entries that scoring works on: handed in for good, by people whose registration stands."""
    entries = Entry.objects.locked().filter(cycle=cycle).exclude(registration__status__in=Registration.ENDED)
    # Prefetched, not joined: seven entries share a registration, a thousand a factor.
    return entries.prefetch_related("registration__user", "factor", "cycle").defer("manifest").order_by("pk")
