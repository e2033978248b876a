"""A cycle of 3,000 entries for 40 scorers: the proven plan beside handing each reading to the emptiest desk in turn."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from fractions import Fraction
from statistics import median
from time import perf_counter

from bench.world import NOW
from candidates.models import Registration
from candidates.permissions import STAFF
from portfolios.models import Entry, Factor
from scoring import assignment, outlook, planner, policies, readings, ties
from scoring.planner import Case, Reader
from scoring.scores import Rules
from tests import factories

ENTRIES, SCORERS, DISTRICTS, FACTORS = 3_000, 40, 60, 7
ROUNDS = 7
MINUTES = (45, 35, 30, 25, 25, 25, 30)  # of the factors, films apart
RULES = Rules(
    version=1,
    threshold=Fraction(11, 4),
    floor=Fraction(7, 4),
    adjudication_gap=Fraction(5, 4),
    double_band=Fraction(1, 4),
    double_percent=15,
    double_first_entries=3,
    retake="best",
    max_share_percent=40,
)


def cycle(seed: int = 1) -> tuple[list[Case], list[Reader]]:
    """Candidates of one to seven entries; scorers who work in one of the districts, qualified for four factors."""
    chance = random.Random(seed)
    district = [chance.randrange(DISTRICTS) for _ in range(SCORERS)]
    qualified = [frozenset(chance.sample(range(FACTORS), 4)) for _ in range(SCORERS)]
    cases: list[Case] = []
    while len(cases) < ENTRIES:
        home, candidate = chance.randrange(DISTRICTS), len(cases)
        for factor in chance.sample(range(FACTORS), chance.randint(1, FACTORS)):
            barred = {key: ties.UNQUALIFIED for key in range(SCORERS) if factor not in qualified[key]}
            barred |= {key: ties.DISTRICT for key in range(SCORERS) if district[key] == home}
            minutes = MINUTES[factor] + chance.randint(0, 35)
            cases.append(Case(len(cases), candidate, chance.random() < 0.1, barred, minutes=minutes))
    return cases, [Reader(key, 0, chance.choice((0, 100))) for key in range(SCORERS)]


def greedily(due: list[tuple[Case, int]]) -> Counter[int]:
    """The same readings one after the other to the emptiest desk that may, and what everybody holds then."""
    minutes, reads = Counter(dict.fromkeys(range(SCORERS), 0)), dict[int, set[int]]()
    for case, count in due:
        for _ in range(count):
            taken = reads.setdefault(case.key, set())
            free = [key for key in range(SCORERS) if key not in case.barred and key not in taken]
            if free:
                chosen = min(free, key=lambda key: minutes[key])
                minutes[chosen] += case.minutes
                taken.add(chosen)
    return minutes


def plans() -> None:
    """Both ways in turns, from facts in memory."""
    cases, readers = cycle()
    plan = planner.plan(cases, readers, RULES)
    count = Counter(one.case for one in plan.readings)
    due = [(case, count[case.key]) for case in cases]
    rounds = [
        (_seconds(lambda: greedily(due)), _seconds(lambda: planner.plan(cases, readers, RULES))) for _ in range(ROUNDS)
    ]
    ratios = [ours / greedy for greedy, ours in rounds]
    print(f"\n{f'{len(cases):,} entries, {SCORERS} scorers':<30}{'seconds':>9}{'emptiest to fullest desk':>27}")
    _line("each to the emptiest desk", [greedy for greedy, _ in rounds], greedily(due))
    _line("the plan, proven" if plan.is_proven else "the plan", [ours for _, ours in rounds], plan.minutes)
    print(f"the plan takes {median(ratios):.1f} times as long, {max(ratios):.1f} at most")


def _line(name: str, seconds: list[float], minutes: Mapping[int, int]) -> None:
    spread = f"{min(minutes.values())} to {max(minutes.values())} minutes"
    print(f"{name:<30}{median(seconds):>9.2f}{spread:>27}")


def rows() -> None:
    """The same from rows: the preview as staff ask for it, and giving it out, mails and all."""
    made = factories.make_cycle(2028)
    registrations = list(Registration.objects.order_by("pk")[: ENTRIES // FACTORS])
    like = factories.make_entry(registrations[0], cycle=made, status=Entry.Status.LOCKED)
    skip = {"id", "registration", "factor", "receipt_code"}
    fields = {one.name: getattr(like, one.name) for one in Entry._meta.concrete_fields if one.name not in skip}
    like.delete()
    factors = list(Factor.objects.all())
    Entry.objects.bulk_create(
        Entry(registration=registration, factor=factor, **fields)
        for registration in registrations
        for factor in factors
    )
    for number in range(SCORERS):
        factories.make_scorer(district=f"District {number}")
    staff, policy = factories.make_user("", STAFF), policies.policy_of(made)
    looked = _seconds(lambda: outlook.outlook(made, list(readings.to_be_read(made)), policy, NOW))
    given = _seconds(lambda: assignment.assign_cycle(made.pk, by=staff, at=NOW))
    print(f"from rows: {looked:.1f} s for the preview, {given:.1f} s to give {made.entries.count():,} entries out")


def _seconds(work: Callable[[], object]) -> float:
    begin = perf_counter()
    work()
    return perf_counter() - begin
