"""The release of ten thousand candidates with seven factors each, beside one SQL pass that adds up the same ratings.

Filled by the database itself, for rows made one by one would take longer than all that is measured. The dry run looks
at everybody; the job is timed over the first FIRST, each in a transaction of their own, its memory over two sizes.
"""

import tracemalloc
from collections.abc import Callable
from statistics import median
from time import perf_counter

from django.db import connection

from bench.world import NOW
from candidates.models import Cycle, Registration
from candidates.permissions import SCORER, STAFF
from portfolios.models import Entry
from scoring import dry_runs, release, second_path, standing
from scoring.models import Assignment, Release
from scoring.release_gate import Setting
from tests import factories

FIRST = 300
SIZES = (50, 200)
SCORERS = 40
ROUNDS = 3


def everybody() -> None:
    """A dry run, then the job, each as a ratio to the SQL pass over as many candidates."""
    cycle, staff = factories.make_cycle(2029), factories.make_user("", STAFF)
    policy = factories.make_policy(99)
    _fill(cycle)
    people = list(standing.in_process(cycle).order_by("pk").values_list("pk", flat=True))
    rules = policy.rules()
    bare = median(_seconds(lambda: second_path.computed(people, cycle, rules)) for _ in range(ROUNDS))
    looked = _seconds(lambda: dry_runs.keep(cycle, policy, by=staff, at=NOW))
    decision = factories.make_release(cycle, policy=policy, run=dry_runs.latest(cycle), releases_at=NOW)
    Release.objects.filter(pk=decision.pk).update(approved_at=NOW)
    told = _seconds(lambda: _tell(decision, people[:FIRST])) * len(people) / FIRST
    print(f"\n{f'{len(people):,} candidates, 7 factors':<34}{'seconds':>10}{'of one SQL pass':>18}")
    print(f"{'one SQL pass':<34}{bare:>10.1f}")
    print(f"{'dry run, every rule and word':<34}{looked:>10.1f}{looked / bare:>17.0f}x")
    print(f"{f'release, by its first {FIRST:,}':<34}{told:>10.1f}{told / bare:>17.0f}x")
    begin = FIRST
    for size in SIZES:
        print(f"{f'memory while {size} are told, MiB':<34}{_peak(decision, people[begin : begin + size]):>10.1f}")
        begin += size


def _tell(decision: Release, people: list[int]) -> None:
    setting = Setting.of(decision.cycle, decision.policy)
    made = sum(release.release_one(decision.pk, key, setting, at=NOW) for key in people)
    assert made == len(people), made


def _peak(decision: Release, people: list[int]) -> float:
    tracemalloc.start()
    _tell(decision, people)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 2**20


def _seconds(work: Callable[[], object]) -> float:
    begin = perf_counter()
    work()
    return perf_counter() - begin


def _fill(cycle: Cycle) -> None:
    """Every registration hands in all factors; each is read at 4.00, the first of each candidate twice."""
    like = factories.make_entry(Registration.objects.order_by("pk")[0], cycle=cycle, status=Entry.Status.LOCKED)
    scorers = [factories.make_scorer("", SCORER).pk for _ in range(SCORERS)]
    skip = {"id", "registration_id", "factor_id", "receipt_code"}
    same = [field.column for field in Entry._meta.concrete_fields if field.column not in skip]
    columns, copied = ", ".join(same), ", ".join(f"e.{column}" for column in same)
    values = {"like": like.pk, "cycle": cycle.pk, "scorers": scorers, "count": SCORERS, "at": NOW}
    with connection.cursor() as cursor:
        for statement in (
            f"INSERT INTO portfolios_entry (registration_id, factor_id, receipt_code, {columns}) "  # noqa: S608
            f"SELECT r.id, f.id, upper(substr(md5(r.id || '/' || f.id || '/b'), 1, 8)), {copied} "
            "FROM candidates_registration r, portfolios_factor f, portfolios_entry e WHERE e.id = %(like)s "
            "AND NOT (r.id = e.registration_id AND f.id = e.factor_id) ON CONFLICT DO NOTHING",
            _READING.format(role="first", shift=0, which="true"),
            _READING.format(role="second", shift=1, which="f.number = 1"),
            "INSERT INTO scoring_sheet (assignment_id, rubric_id, status, version, comment, saved_at, finalised_at) "
            "SELECT a.id, r.id, 'final', 1, '', %(at)s, %(at)s FROM scoring_assignment a "
            "JOIN portfolios_entry e ON e.id = a.entry_id AND e.cycle_id = %(cycle)s "
            "JOIN scoring_rubric r ON r.factor_id = e.factor_id AND r.is_current",
            "INSERT INTO scoring_rating (sheet_id, criterion_id, value, evidence) "
            "SELECT s.id, c.id, 4, '' FROM scoring_sheet s JOIN scoring_assignment a ON a.id = s.assignment_id "
            "JOIN portfolios_entry e ON e.id = a.entry_id AND e.cycle_id = %(cycle)s "
            "JOIN scoring_criterion c ON c.rubric_id = s.rubric_id",
            "VACUUM ANALYZE",
        ):
            cursor.execute(statement, values if "%(" in statement else None)
    assert Assignment.objects.filter(entry__cycle=cycle).count() > Registration.objects.count() * 7


_READING = (
    "INSERT INTO scoring_assignment (entry_id, scorer_id, role, reason, assigned_at, by_hand) "
    "SELECT e.id, (%(scorers)s::bigint[])[1 + (e.id + {shift}) %% %(count)s], '{role}', 'coverage', %(at)s, '' "
    "FROM portfolios_entry e JOIN portfolios_factor f ON f.id = e.factor_id WHERE e.cycle_id = %(cycle)s AND {which}"
)
