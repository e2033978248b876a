"""The one thing somebody should do now, out of what each app would have them do."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from candidates.next_steps import next_step as of_registration
from icg_cert.candidacy import Candidacy
from icg_cert.lib.next_step import NextStep
from payments.next_steps import among as of_payment
from portfolios.next_steps import next_step as of_entries
from scoring.queue import next_step as of_scorer
from scoring.results import next_step as of_results

# Who may speak, in the order in which equals are heard: the latest news of the programme first.
ASKED: list[Callable[[Candidacy], NextStep | None]] = [
    lambda mine: of_results(mine.results, mine.entries, mine.at),
    lambda mine: of_scorer(mine.user, mine.at),
    lambda mine: of_entries(mine.board),
    lambda mine: of_payment(mine.registrations, mine.user, mine.at),
    lambda mine: of_registration(mine.user, mine.registrations, mine.at),
]
RANK = {"todo": 0, "done": 1, "wait": 2}
NEVER = datetime.max.replace(tzinfo=UTC)


def steps(mine: Candidacy) -> list[NextStep]:
    """All next steps of a signed-in person, the most urgent first: what is to do by its deadline, then news.

    Who is done has nothing to wait for.
    """
    found = [step for ask in ASKED if (step := ask(mine))]
    if any(step.kind == "done" for step in found):
        found = [step for step in found if step.kind != "wait"]
    return sorted(found, key=lambda step: (RANK[step.kind], step.deadline or NEVER))


def next_step(user: Any, at: datetime) -> NextStep | None:
    """The most urgent one; None for strangers and for those whom nothing concerns."""
    if not user.is_authenticated:
        return None
    return next(iter(steps(Candidacy(user, at))), None)
