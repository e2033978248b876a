"""What a report says comes next, and when: the same words on the page and on paper."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from candidates.models import Cycle
from icg_cert.lib.words import day_of, window_words
from scoring.models import Result
from scoring.reports import Report

OVER = "The window that followed this release is over. Your entries page says where you stand now and what comes next."


@dataclass(frozen=True, slots=True)
class WhatNext:
    """`lead` is where they stand; `steps` is what they can do, `afterwards` what there is to say instead."""

    lead: str
    steps: tuple[str, ...] = ()
    afterwards: str = ""


def what_next(report: Report, at: datetime) -> WhatNext:
    """As of `at`: a window that has closed is no longer offered."""
    status = report.result.status
    if status == Result.Status.CERTIFIED:
        return WhatNext("Congratulations. Both rules are met: you are a certified instructional coach.")
    if status == Result.Status.NOT_CERTIFIED:
        return WhatNext(
            "This was the third and last year of your process, and the two rules are not both met. We know how much "
            "work is in these entries.",
            afterwards="Your scores stay on record. The rules say what was missing; each factor says what the scorers "
            "saw. You are welcome to register again with a later cohort.",
        )
    if report.next_cycle and report.next_cycle.closes_at <= at:
        return WhatNext(_lead(report), afterwards=OVER)
    return WhatNext(_lead(report), tuple(_steps(report)))


def _lead(report: Report) -> str:
    if report.result.status == Result.Status.NOT_YET:
        count = len(report.short)
        are = "One factor is" if count == 1 else f"{count} factors are"
        return f"{are} below {report.threshold} so far. The way to certification is still open."
    if report.overall.is_complete:
        return "All seven factors are scored."
    if len(report.unscored) == len(report.lines):
        return "Nothing of yours has been scored yet."
    return "Everything scored so far is accomplished, and it stays so."


def _steps(report: Report) -> Iterable[str]:
    missing = len(report.unscored)
    if missing and report.year == 1:
        what = "the factor that is" if missing == 1 else f"the {missing} factors that are"
        when = _window(report.next_cycle) or f" in the window of {report.next_year}"
        yield (
            f"Hand in {what} still missing{when}. Year 2 is the last in which a factor can be handed in for the first "
            "time."
        )
    if missing and report.year == 2:
        yield (
            f"{missing} of the seven factors {'was' if missing == 1 else 'were'} not handed in. Year 3 is for retakes "
            "only; please write to us, so that we can look at your case together."
        )
    if report.short:
        when = _window(report.retake_cycle) or f", {report.retake_year}"
        yield f"Retake {report.short_words} with new entries in year 3{when}. {report.policy_words}"
    if report.next_cycle:
        yield f"The next results come out on {day_of(report.next_cycle.releases_at)}. We e-mail you then."
    yield "Read what the scorers saw, criterion by criterion."


def _window(cycle: Cycle | None) -> str:
    return f": {window_words(cycle.opens_at, cycle.closes_at)}" if cycle else ""
