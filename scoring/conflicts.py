"""Who may not read what, and why: ties of either side, what they read before, qualification and signature."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from candidates.models import Cycle, Registration
from portfolios.models import Entry
from scoring import ties
from scoring.models import (
    Assignment,
    BackReading,
    DeclaredTie,
    Pause,
    PublicMailDomain,
    Qualification,
    Recusal,
    Scorer,
    ScoringPolicy,
    Statement,
)
from scoring.ties import Declared, Person

Bars = dict[int, str]  # scorer to what keeps them away, in the words of scoring/ties.py


def barred(
    entries: Iterable[Entry], scorers: Iterable[Scorer], policy: ScoringPolicy, cycle: Cycle, at: datetime
) -> dict[int, Bars]:
    """Per entry of the cycle (with its registration and user loaded) who may not read it. A fixed number of queries."""
    entries, scorers = list(entries), list(scorers)
    general, of_factor = _unsigned(scorers, policy, cycle), _unqualified(entries, scorers, policy, at)
    tied, paused = known(entries, scorers), _paused(at)
    return {
        # What staff cannot set aside comes last and wins.
        entry.pk: {
            **of_factor.get(entry.factor_id, {}),
            **general,
            **tied[entry.pk],
            **paused[entry.factor_id],
        }
        for entry in entries
    }


def known(entries: Iterable[Entry], scorers: Iterable[Scorer]) -> dict[int, Bars]:
    """Per entry (as above) who knows its candidate, has read another attempt of theirs, or read any along."""
    entries = list(entries)
    recused, read, along = recusals(entries), readers_before(entries), _read_along(entries)
    tied = _tied({entry.registration_id: entry.registration for entry in entries}, list(scorers))
    return {
        # What staff cannot set aside comes last and wins.
        entry.pk: {
            **tied[entry.registration_id],
            **dict.fromkeys(recused[entry.registration.user_id], ties.RECUSED),
            **{
                reader: ties.READ_BEFORE
                for other, reader in read[entry.registration.user_id, entry.factor_id]
                if other != entry.pk
            },
            **dict.fromkeys(along[entry.registration.user_id, entry.factor_id], ties.READS_IT),
            **{key: why for key, why in tied[entry.registration_id].items() if why == ties.SELF},
        }
        for entry in entries
    }


def _unsigned(scorers: list[Scorer], policy: ScoringPolicy, cycle: Cycle) -> Bars:
    if not policy.requires_statement:
        return {}
    signed = set(Statement.objects.filter(cycle=cycle).values_list("scorer", flat=True))
    return {one.user_id: ties.UNSIGNED for one in scorers if one.user_id not in signed}


def _unqualified(entries: list[Entry], scorers: list[Scorer], policy: ScoringPolicy, at: datetime) -> dict[int, Bars]:
    if not policy.requires_qualification:
        return {}
    qualified = set(Qualification.objects.in_force(at).values_list("factor", "scorer"))
    return {
        factor: {one.user_id: ties.UNQUALIFIED for one in scorers if (factor, one.user_id) not in qualified}
        for factor in {entry.factor_id for entry in entries}
    }


def _paused(at: datetime) -> dict[int, Bars]:
    found: dict[int, Bars] = defaultdict(dict)
    for factor, scorer in Pause.objects.in_force(at).values_list("factor", "scorer"):
        found[factor][scorer] = ties.PAUSED
    return found


def _tied(registrations: dict[int, Registration], scorers: list[Scorer]) -> dict[int, Bars]:
    """Registration to the scorers who are tied to the candidate or their workplace."""
    declared = declared_by({one.user_id for one in registrations.values()} | {one.user_id for one in scorers})
    public = public_domains()
    readers = [scorer_person(one, declared[one.user_id]) for one in scorers]
    candidates = {key: candidate_person(one, declared[one.user_id]) for key, one in registrations.items()}
    return {
        key: {one.key: why for one in readers if (why := ties.between(candidate, one, public))}
        for key, candidate in candidates.items()
    }


def declared_by(people: set[int]) -> dict[int, list[Declared]]:
    """Whom and what each of them knows, in their own words."""
    found: dict[int, list[Declared]] = defaultdict(list)
    rows = DeclaredTie.objects.filter(declared_by__in=people)
    for by, name, email in rows.values_list("declared_by", "name", "email"):
        found[by].append(Declared(name, email))
    return found


def public_domains() -> frozenset[str]:
    return frozenset(PublicMailDomain.objects.values_list("domain", flat=True))


def candidate_person(registration: Registration, declared: Iterable[Declared] = ()) -> Person:
    user = registration.user
    return Person(
        key=user.pk,
        name=user.name,
        emails=(user.email, registration.supervisor_email),
        district=registration.district,
        employer=registration.employer,
        school=registration.school,
        declared=tuple(declared),
    )


def scorer_person(scorer: Scorer, declared: Iterable[Declared] = ()) -> Person:
    user = scorer.user
    return Person(user.pk, user.name, (user.email,), scorer.district, scorer.employer, declared=tuple(declared))


def _candidates(entries: list[Entry]) -> set[int]:
    return {entry.registration.user_id for entry in entries}


def recusals(entries: list[Entry]) -> dict[int, set[int]]:
    """A conflict is with a person, so it holds in every cohort they register in."""
    rows = Recusal.objects.filter(registration__user__in=_candidates(entries))
    found: dict[int, set[int]] = defaultdict(set)
    for candidate, scorer in rows.values_list("registration__user", "scorer"):
        found[candidate].add(scorer)
    return found


def _read_along(entries: list[Entry]) -> dict[tuple[int, int], set[int]]:
    """(candidate, factor) to leads who looked over a sheet of theirs: no independent readers any more."""
    rows = BackReading.objects.filter(sheet__assignment__entry__registration__user__in=_candidates(entries))
    entry = "sheet__assignment__entry"
    found: dict[tuple[int, int], set[int]] = defaultdict(set)
    for candidate, factor, lead in rows.values_list(f"{entry}__registration__user", f"{entry}__factor", "lead"):
        found[candidate, factor].add(lead)
    return found


def readers_before(entries: list[Entry]) -> dict[tuple[int, int], set[tuple[int, int]]]:
    """(candidate, factor) to (entry, scorer): a retake never goes to someone who knows the attempt before it."""
    rows = Assignment.objects.filter(entry__registration__user__in=_candidates(entries))
    found: dict[tuple[int, int], set[tuple[int, int]]] = defaultdict(set)
    for candidate, factor, entry, scorer in rows.values_list(
        "entry__registration__user", "entry__factor", "entry", "scorer"
    ):
        found[candidate, factor].add((entry, scorer))
    return found
