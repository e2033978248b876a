"""The final certification notice: certified or not certified, by which scores, and what remains possible.

It comes with the release that ends a candidate's process: the one that certifies them, else that of their third year.
The page and the letter say the same.
"""

from dataclasses import dataclass
from datetime import datetime

from icg_cert.lib.words import day_of, last_day_of
from portfolios import retention
from scoring import aftermath, letters, reports, workings
from scoring.models import Result
from scoring.reports import Report


@dataclass(frozen=True, slots=True)
class Notice:
    """`rules` and `lines` are the report's; `kept_until` is when files are deleted, where that is known."""

    result: Result
    report: Report
    ask_until: datetime | None
    kept_until: datetime | None

    @property
    def is_certified(self) -> bool:
        return bool(self.result.status == Result.Status.CERTIFIED)

    @property
    def title(self) -> str:
        return "You are certified" if self.is_certified else "Not certified"

    @property
    def decision(self) -> str:
        if self.is_certified:
            return "Both rules of certification are met: you are a certified instructional coach. Congratulations."
        return (
            "This was the third and last year of your process, and the two rules of certification are not both met. "
            "You are not certified. We know how much work is in these entries."
        )

    @property
    def remains(self) -> tuple[str, ...]:
        """What can still be done, and what happens to the files, a sentence or two each."""
        found = []
        if self.ask_until:
            found.append(
                f"Until the end of {last_day_of(self.ask_until)} you can ask for a score of this release to be "
                "verified: somebody who has not read the entry reads it again. A score is never lowered by asking."
            )
        if not self.is_certified:
            found.append(
                "You can register again with a later cohort, and hand in new entries. Your scores stay on record."
            )
        if self.kept_until:
            found.append(
                f"The files you handed in are kept until {day_of(self.kept_until)} and then deleted. Scores, reports "
                "and receipts stay."
            )
        return tuple(found)


def of(result: Result, at: datetime) -> Notice:
    """Of a final result that may be read, loaded with cycle, policy, registration, cohort and user."""
    after = aftermath.of(result, at)
    return Notice(result, reports.report(result), after.ask_until, retention.kept_until(result.registration))


def document(notice: Notice) -> bytes:
    """The letter as PDF."""
    result = notice.result
    scores = [
        [line.name, "–" if line.score is None else workings.printed(line.score), str(line.year or "–"), line.state]
        for line in notice.report.lines
    ]
    rules = [f"{rule.title}. {rule.words} {'Met.' if rule.passed else 'Not met.'}" for rule in notice.report.rules]
    return letters.render(
        title="Final certification notice",
        on=result.released_at,
        registration=result.registration,
        paragraphs=[notice.decision],
        head=["Factor", "Score", "From", "State"],
        rows=scores,
        after=[*rules, *notice.remains],
    )
