"""How long readings of a cycle are expected to take: the factor's reading time, and the films handed in."""

from dataclasses import dataclass

from django.db.models import Sum

from candidates.models import Cycle
from portfolios.models import Requirement, Upload
from scoring import planner
from scoring.models import ReadingTime

USUAL = 30  # minutes, of a factor that nobody has estimated yet


@dataclass(frozen=True, slots=True)
class Effort:
    """Factor to its reading time, entry to the length of its films."""

    reading: dict[int, int]
    films_ms: dict[int, int]

    @classmethod
    def of(cls, cycle: Cycle) -> "Effort":
        """Two queries."""
        films = Upload.objects.current().filter(entry__cycle=cycle, requirement__kind=Requirement.Kind.VIDEO)
        lengths = films.exclude(duration_ms=None).order_by().values_list("entry").annotate(Sum("duration_ms"))
        return cls(dict(ReadingTime.objects.order_by().values_list("factor", "minutes")), dict(lengths))

    def minutes(self, entry: int, factor: int) -> int:
        return planner.minutes(self.reading.get(factor, USUAL), self.films_ms.get(entry, 0))
