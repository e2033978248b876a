"""Which readings are compared, and what comes of it for one cycle. Candidates stand here by code alone.

A pair is what two readers gave one criterion of one entry, both sheets final. First and second readings agree or
not; what a lead gave as adjudication stands apart, as something to measure both by.

Who is still to adjudicate an entry sees nothing of its pairs, in no figure and no file: the decision is to be theirs.
The file leaves out for everybody what waits for an adjudication, since any lead may yet be given it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Case, Exists, F, IntegerField, OuterRef, QuerySet, Value, When
from django.db.models.functions import Cast

from candidates.models import Cycle, User
from scoring import agreement, readings
from scoring.agreement import Agreement, Severity
from scoring.models import Assignment, Criterion, Rating, Sheet
from scoring.scores import Rules, lies_apart, sheet_score

FIRST, SECOND, ADJUDICATION = Assignment.Role.FIRST, Assignment.Role.SECOND, Assignment.Role.ADJUDICATION

ONE = "sheet__assignment"
OTHER = f"{ONE}__entry__assignments"

# How an entry's adjudication stands, as far as there is one.
DECIDED, OPEN = "decided", "open"

Counts = Counter[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class OfCriteria:
    """How often readers agreed on one factor, or on one criterion of it."""

    factor: int
    name: str
    version: int
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class OfScorer:
    """How one scorer agrees with their co-readers, and how far they lie above or below them, and leads."""

    key: int
    name: str
    agreement: Agreement
    beside_readers: Severity
    beside_leads: Severity


@dataclass(frozen=True, slots=True)
class Figures:
    """The board of one cycle for one viewer; `kept_back` is how many entries wait for the viewer's adjudication."""

    cycle: Cycle
    entries: int
    kept_back: int
    everything: Agreement
    levels: Counter[tuple[int, int]]
    factors: list[OfCriteria]
    criteria: list[OfCriteria]
    scorers: list[OfScorer]


def figures(cycle: Cycle, viewer: Any) -> Figures:
    """All the board says, in five queries."""
    rows = _counted(compared(cycle, viewer, [FIRST], SECOND))
    beside_leads = _counted(compared(cycle, viewer, [FIRST, SECOND], ADJUDICATION))
    by_criterion, by_scorer = _tables(rows)
    criteria = _criteria(by_criterion)
    everything = sum(by_criterion.values(), Counts())
    return Figures(
        cycle=cycle,
        entries=len({entry for entry, *_ in rows}),
        kept_back=_due_to(viewer).filter(entry__in=readings.to_be_read(cycle)).count(),
        everything=agreement.agreement(everything),
        levels=agreement.levels(everything),
        factors=_factors(criteria, by_criterion),
        criteria=[_of_criterion(one, by_criterion[one.pk]) for one in criteria],
        scorers=_scorers(by_scorer, _beside_readers(rows), _beside_leads(beside_leads)),
    )


def compared(cycle: Cycle, viewer: Any, ones: list[str], other: str) -> QuerySet[Rating]:
    """Final ratings by who read as one of `ones`, joined with those that the reader in the role `other` gave.

    Of entries that scoring works on, so nothing of who withdrew; by entry, then reader, then criterion.
    """
    both = {
        f"{ONE}__role__in": ones,
        "sheet__status": Sheet.Status.FINAL,
        "value__isnull": False,
        f"{OTHER}__role": other,
        f"{OTHER}__sheet__status": Sheet.Status.FINAL,
        f"{OTHER}__sheet__ratings__criterion": F("criterion"),
        f"{OTHER}__sheet__ratings__value__isnull": False,
    }
    rows = Rating.objects.filter(**both, **{f"{ONE}__entry__in": readings.to_be_read(cycle)})
    seen = rows.exclude(**{f"{ONE}__entry__in": _due_to(viewer).values("entry")})
    return seen.order_by(f"{ONE}__entry", f"{ONE}__scorer", "criterion__position", "pk")


def _due_to(viewer: Any) -> QuerySet[Assignment]:
    return Assignment.objects.filter(scorer=viewer, role=ADJUDICATION).exclude(sheet__status=Sheet.Status.FINAL)


def _counted(rows: QuerySet[Rating]) -> list[tuple[int, int, int, int, int, int]]:
    """Of each pair the entry, the criterion, the two readers, and the two values in quarters."""
    given = (Cast(F(value) * 4, IntegerField()) for value in ("value", f"{OTHER}__sheet__ratings__value"))
    return list(rows.values_list(f"{ONE}__entry", "criterion", f"{ONE}__scorer", f"{OTHER}__scorer", *given))


def _tables(rows: Iterable[tuple[int, ...]]) -> tuple[dict[int, Counts], dict[int, Counts]]:
    """Pairs by criterion, the first reader's value first; and by scorer, their own first."""
    by_criterion: dict[int, Counts] = defaultdict(Counts)
    by_scorer: dict[int, Counts] = defaultdict(Counts)
    for (criterion, one, other, mine, theirs), count in Counter(row[1:] for row in rows).items():
        by_criterion[criterion][mine, theirs] += count
        by_scorer[one][mine, theirs] += count
        by_scorer[other][theirs, mine] += count
    return by_criterion, by_scorer


def _beside_readers(rows: Iterable[tuple[int, ...]]) -> dict[int, Counter[Fraction]]:
    """Per scorer how often a score of theirs lay how far above the co-reader's; both have the same distance."""
    found: dict[int, Counter[Fraction]] = defaultdict(Counter)
    for (one, other, apart), count in Counter(_distances(rows)).items():
        found[one][apart] += count
        found[other][-apart] += count
    return found


def _beside_leads(rows: Iterable[tuple[int, ...]]) -> dict[int, Counter[Fraction]]:
    """Per scorer the same, above the lead who decided."""
    found: dict[int, Counter[Fraction]] = defaultdict(Counter)
    for scorer, _, apart in _distances(rows):
        found[scorer][apart] += 1
    return found


def _distances(rows: Iterable[tuple[int, ...]]) -> Iterator[tuple[int, int, Fraction]]:
    """Of each entry and its two readers, by how many points the mean of the first one's values lies higher."""
    for (_, one, other), pairs in groupby(rows, key=itemgetter(0, 2, 3)):
        apart = [mine - theirs for *_, mine, theirs in pairs]
        yield one, other, Fraction(sum(apart), 4 * len(apart))


def _criteria(keys: Iterable[int]) -> list[Criterion]:
    related = Criterion.objects.filter(pk__in=keys).select_related("rubric__factor")
    return list(related.order_by("rubric__factor__number", "rubric__version", "position"))


def _of_criterion(criterion: Criterion, pairs: Counts) -> OfCriteria:
    rubric = criterion.rubric
    return OfCriteria(rubric.factor.number, criterion.name, rubric.version, agreement.agreement(pairs))


def _factors(criteria: list[Criterion], by_criterion: dict[int, Counts]) -> list[OfCriteria]:
    """The criteria of each factor together, whatever the rubric's version; `version` is the newest."""
    found = []
    for factor, group in groupby(criteria, key=lambda criterion: criterion.rubric.factor):
        members = list(group)
        pairs = sum((by_criterion[one.pk] for one in members), Counts())
        found.append(OfCriteria(factor.number, factor.name, members[-1].rubric.version, agreement.agreement(pairs)))
    return found


def _scorers(
    pairs: dict[int, Counts], readers: dict[int, Counter[Fraction]], leads: dict[int, Counter[Fraction]]
) -> list[OfScorer]:
    people = User.objects.filter(pk__in=pairs).order_by("name", "pk").values_list("pk", "name")
    return [
        OfScorer(
            pk,
            name,
            agreement.agreement(pairs[pk]),
            agreement.severity(readers.get(pk, {})),
            agreement.severity(leads.get(pk, {})),
        )
        for pk, name in people
    ]


# ---- The file

HEADS = ["candidate", "factor", "criterion", "first scorer", "second scorer", "first", "second"]


def listed(cycle: Cycle, viewer: Any, rules: Rules) -> Iterator[tuple[object, ...]]:
    """The pairs as HEADS says them, scorers by their number, entry by entry; none of an entry that is undecided."""
    for (_, stands), group in groupby(_told(compared(cycle, viewer, [FIRST], SECOND)), key=itemgetter(0, 1)):
        pairs = [pair for _, _, *pair in group]
        if stands == DECIDED or (not stands and not _lie_apart(pairs, rules)):
            yield from map(tuple, pairs)


def _told(rows: QuerySet[Rating]) -> Iterator[tuple[Any, ...]]:
    adjudication = Assignment.objects.filter(entry=OuterRef(f"{ONE}__entry"), role=ADJUDICATION)
    stands = Case(
        When(Exists(adjudication.filter(sheet__status=Sheet.Status.FINAL)), then=Value(DECIDED)),
        When(Exists(adjudication), then=Value(OPEN)),
        default=Value(""),
    )
    entry = f"{ONE}__entry"
    columns = [f"{entry}__registration__code", f"{entry}__factor__number", "criterion__name"]
    columns += [f"{ONE}__scorer", f"{OTHER}__scorer", "value", f"{OTHER}__sheet__ratings__value"]
    return rows.values_list(entry, stands, *columns).iterator(500)


def _lie_apart(pairs: list[list[Any]], rules: Rules) -> bool:
    first: list[Decimal] = [pair[-2] for pair in pairs]
    second: list[Decimal] = [pair[-1] for pair in pairs]
    return lies_apart(sheet_score(first), sheet_score(second), rules)
