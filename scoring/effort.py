"""How long readings of a cycle are expected to take: the factor's reading time, and the films handed in."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Sum

from candidates.models import Cycle
from portfolios.models import Requirement, Upload, UploadQuerySet
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
        return cls._from(Upload.objects.filter(entry__cycle=cycle))

    @classmethod
    def among(cls, entries: Iterable[int]) -> "Effort":
        """Of these entries, whichever cycle they are of. Two queries."""
        return cls._from(Upload.objects.filter(entry__in=entries))

    @classmethod
    def _from(cls, uploads: UploadQuerySet) -> "Effort":
        films = uploads.current().filter(requirement__kind=Requirement.Kind.VIDEO)
        lengths = films.exclude(duration_ms=None).order_by().values_list("entry").annotate(Sum("duration_ms"))
        return cls(dict(ReadingTime.objects.order_by().values_list("factor", "minutes")), dict(lengths))

    def minutes(self, entry: int, factor: int) -> int:
        return planner.minutes(self.reading.get(factor, USUAL), self.films_ms.get(entry, 0))
