"""Whether whoever read an entry was free to: no tie to its candidate, whenever it was said; signed and qualified then.

Assigning keeps people apart by what is known that day. This looks back from the release, when more is known.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from candidates.models import Cycle, User
from icg_cert.audit.models import Event
from scoring import conflicts, ties
from scoring.models import Assignment, Qualification, Scorer, ScoringPolicy, Statement
from scoring.standing import Candidate, Judged, Reading
from scoring.ties import Declared, Person

# What a finding speaks against: that a reading is one more opinion, that its scorer has no tie, that they may read.
INDEPENDENT, CONFLICT, QUALIFIED = "independent", "conflict", "qualified"
RULE_OF = {ties.SELF: INDEPENDENT, ties.READ_BEFORE: INDEPENDENT, ties.UNSIGNED: QUALIFIED, ties.UNQUALIFIED: QUALIFIED}


@dataclass(frozen=True, slots=True)
class Finding:
    """What speaks against one reading. `reason`: why staff gave it to this scorer all the same, knowing that."""

    rule: str
    words: str
    reason: str = ""


def findings(candidates: Sequence[Candidate], policy: ScoringPolicy) -> dict[int, list[Finding]]:
    """Per registration, of candidates of one cycle; a fixed number of queries."""
    known = _Known.of(candidates, policy)
    return {
        candidate.registration.pk: [
            _finding(judged, reading, tie, known)
            for judged in candidate.entries
            for reading in judged.readings
            for tie in known.against(candidate, judged, reading)
        ]
        for candidate in candidates
    }


def _finding(judged: Judged, reading: Reading, tie: str, known: "_Known") -> Finding:
    assignment = reading.assignment
    role = assignment.get_role_display().lower()
    words = f"factor {judged.entry.factor.number}: the scorer of the {role} {ties.WORDS[tie][0]}"
    is_set_aside = known.set_aside.get(assignment.pk) == tie
    return Finding(RULE_OF.get(tie, CONFLICT), words, assignment.by_hand if is_set_aside else "")


@dataclass(frozen=True, slots=True)
class _Known:
    """All that may speak against the readings of some candidates."""

    scorers: dict[int, Person]
    declared: dict[int, list[Declared]]
    public: frozenset[str]
    recused: dict[int, set[int]]
    read: dict[tuple[int, int], set[tuple[int, int]]]
    set_aside: dict[int, str]
    signed: dict[int, datetime] | None
    qualified: dict[tuple[int, int], list[tuple[datetime, datetime | None]]] | None

    @classmethod
    def of(cls, candidates: Sequence[Candidate], policy: ScoringPolicy) -> "_Known":
        entries = [one.entry for candidate in candidates for one in candidate.entries]
        readings = [one.assignment for candidate in candidates for each in candidate.entries for one in each.readings]
        scorers = {one.scorer_id for one in readings}
        declared = conflicts.declared_by(scorers | {candidate.registration.user_id for candidate in candidates})
        return cls(
            scorers={one.key: one for one in _people(scorers, declared)},
            declared=declared,
            public=conflicts.public_domains(),
            recused=conflicts.recusals(entries),
            read=conflicts.readers_before(entries),
            set_aside=_set_aside(one for one in readings if one.by_hand),
            signed=_signed(scorers, candidates[0].cycle) if policy.requires_statement else None,
            qualified=_qualified(scorers) if policy.requires_qualification else None,
        )

    def against(self, candidate: Candidate, judged: Judged, reading: Reading) -> Iterable[str]:
        """Every word of `ties` that speaks against this reading; of ties to the candidate the first."""
        assignment, user = reading.assignment, candidate.registration.user_id
        if tie := self._tie(candidate, assignment.scorer_id):
            yield tie
        if any(
            scorer == assignment.scorer_id and other != judged.entry.pk
            for other, scorer in self.read.get((user, judged.entry.factor_id), ())
        ):
            yield ties.READ_BEFORE
        if self.signed is not None and not self._signed_in_time(reading):
            yield ties.UNSIGNED
        if self.qualified is not None and not self._qualified_then(judged, assignment):
            yield ties.UNQUALIFIED

    def _tie(self, candidate: Candidate, scorer: int) -> str | None:
        registration = candidate.registration
        person = conflicts.candidate_person(registration, self.declared.get(registration.user_id, ()))
        if tie := ties.between(person, self.scorers[scorer], self.public):
            return tie
        return ties.RECUSED if scorer in self.recused.get(registration.user_id, ()) else None

    def _signed_in_time(self, reading: Reading) -> bool:
        """Before their sheet was final; for one that is not, at all."""
        signed_at = (self.signed or {}).get(reading.assignment.scorer_id)
        final_at = reading.sheet.finalised_at if reading.sheet else None
        return signed_at is not None and (final_at is None or signed_at <= final_at)

    def _qualified_then(self, judged: Judged, assignment: Assignment) -> bool:
        """When it was given to them: what somebody holds stays with them when a qualification lapses."""
        spans = (self.qualified or {}).get((assignment.scorer_id, judged.entry.factor_id), ())
        then = assignment.assigned_at
        return any(begin <= then and (end is None or then < end) for begin, end in spans)


def _people(scorers: set[int], declared: dict[int, list[Declared]]) -> Iterable[Person]:
    """Whoever read, also where they have no desk any more."""
    profiles = {one.user_id: one for one in Scorer.objects.filter(user__in=scorers).select_related("user")}
    yield from (conflicts.scorer_person(one, declared.get(key, ())) for key, one in profiles.items())
    for user in User.objects.filter(pk__in=scorers - set(profiles)) if scorers - set(profiles) else ():
        yield Person(user.pk, user.name, (user.email,), declared=tuple(declared.get(user.pk, ())))


def _set_aside(readings: Iterable[Assignment]) -> dict[int, str]:
    """Reading to the tie that staff set aside when they gave it by hand; the trail knows which."""
    keys = [str(one.pk) for one in readings]
    if not keys:
        return {}
    events = Event.objects.filter(verb="assignment.by_hand", object_type=Assignment._meta.label, object_id__in=keys)
    return {int(key): tie for key, tie in events.values_list("object_id", "after__set_aside") if tie}


def _signed(scorers: set[int], cycle: Cycle) -> dict[int, datetime]:
    return dict(Statement.objects.filter(cycle=cycle, scorer__in=scorers).values_list("scorer", "signed_at"))


def _qualified(scorers: set[int]) -> dict[tuple[int, int], list[tuple[datetime, datetime | None]]]:
    found: dict[tuple[int, int], list[tuple[datetime, datetime | None]]] = defaultdict(list)
    rows = Qualification.objects.filter(scorer__in=scorers)
    for scorer, factor, begin, end in rows.values_list("scorer", "factor", "qualified_at", "lapsed_at"):
        found[scorer, factor].append((begin, end))
    return found
