"""Who may not read what: themselves, their workplace, their staff, declared conflicts, and what they read before."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from candidates.models import Registration
from portfolios.models import Entry
from scoring.models import Assignment, Recusal, Scorer
from scoring.planner import workplaces


def barred(entries: Iterable[Entry], scorers: Iterable[Scorer]) -> dict[int, frozenset[int]]:
    """Per entry (with its registration loaded) the people who may not read it. Two queries, whatever the number."""
    entries, scorers = list(entries), list(scorers)
    recused, read = _recused(entries), _read_before(entries)
    ties = {scorer: workplaces(scorer.district, scorer.employer) for scorer in scorers}
    registrations = {entry.registration_id: entry.registration for entry in entries}
    too_close = {key: _too_close(registration, ties) for key, registration in registrations.items()}
    return {
        entry.pk: frozenset(
            too_close[entry.registration_id]
            | recused[entry.registration.user_id]
            | {reader for other, reader in read[entry.registration.user_id, entry.factor_id] if other != entry.pk}
        )
        for entry in entries
    }


def _too_close(registration: Registration, ties: Mapping[Scorer, frozenset[str]]) -> set[int]:
    """The candidate, whoever shares a district, employer or school with them, and their supervisor."""
    theirs = workplaces(registration.district, registration.employer, registration.school)
    supervisor = registration.supervisor_email.strip().casefold()
    return {
        scorer.user_id
        for scorer, workplaces_of_scorer in ties.items()
        if scorer.user_id == registration.user_id
        or scorer.user.email.casefold() == supervisor
        or theirs & workplaces_of_scorer
    }


def _candidates(entries: list[Entry]) -> set[int]:
    return {entry.registration.user_id for entry in entries}


def _recused(entries: list[Entry]) -> dict[int, set[int]]:
    """A conflict is with a person, so it holds in every cohort they register in."""
    rows = Recusal.objects.filter(registration__user__in=_candidates(entries))
    found: dict[int, set[int]] = defaultdict(set)
    for candidate, scorer in rows.values_list("registration__user", "scorer"):
        found[candidate].add(scorer)
    return found


def _read_before(entries: list[Entry]) -> dict[tuple[int, int], set[tuple[int, int]]]:
    """(candidate, factor) to (entry, scorer): a retake never goes to someone who knows the attempt before it."""
    rows = Assignment.objects.filter(entry__registration__user__in=_candidates(entries))
    found: dict[tuple[int, int], set[tuple[int, int]]] = defaultdict(set)
    for candidate, factor, entry, scorer in rows.values_list(
        "entry__registration__user", "entry__factor", "entry", "scorer"
    ):
        found[candidate, factor].add((entry, scorer))
    return found
