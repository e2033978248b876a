"""The score report on paper: what the page shows, as the words that templates/pdf/score_report.typ sets."""

from fractions import Fraction
from typing import Any

from django.conf import settings

from icg_cert.lib import pdf
from icg_cert.lib.words import day_of, three_decimals
from scoring import prospects
from scoring.prospects import Prospect
from scoring.record import FactorRecord
from scoring.reports import FactorReport, Line, Report
from scoring.scores import VALUES
from scoring.what_next import WhatNext

LOWEST, HIGHEST = Fraction(VALUES[0]), Fraction(VALUES[-1])
RULE_STATE = {True: "Met", False: "Not met", None: "Open"}
WAYS = 3


def document(report: Report, following: WhatNext, ahead: Prospect | None) -> bytes:
    """The PDF/UA on US letter."""
    return pdf.render("score_report.typ", content(report, following, ahead))


def filename(report: Report) -> str:
    return f"ICG-score-report-{report.result.cycle.year}-{report.result.registration.code}.pdf"


def content(report: Report, following: WhatNext, ahead: Prospect | None) -> dict[str, Any]:
    result = report.result
    return {
        "year": result.cycle.year,
        "year_of_process": report.year,
        "name": result.registration.user.name,
        "code": result.registration.code,
        "status": result.get_status_display(),
        "released": day_of(result.released_at),
        "lead": following.lead,
        "steps": following.steps,
        "afterwards": following.afterwards,
        "ways": [f"{prospects.title(way)}. {prospects.needs(way)}" for way in ahead.ways[:WAYS]] if ahead else [],
        "rules": [
            {"title": rule.title, "state": RULE_STATE[rule.passed], "words": rule.words, "steps": rule.steps}
            for rule in report.rules
        ],
        "lines": [_line(line) for line in report.lines],
        "sum": report.sum_words,
        "alt": _alt(report),
        "marks": [
            {"name": f"floor {report.floor}", "at": _on_scale(report.policy.floor), "is_floor": True},
            {"name": f"threshold {report.threshold}", "at": _on_scale(report.policy.threshold), "is_floor": False},
        ],
        "retake_rule": report.policy_words,
        "factors": [_factor(factor) for factor in report.factors],
        "record": [_record(one) for one in report.record],
        "policy": report.policy.version,
        "programme": "Instructional Coaching Group",
        "site": settings.BASE_URL.partition("://")[2],
    }


def _on_scale(score: Fraction) -> int:
    """How far along the scale, in thousandths."""
    return round((min(max(score, LOWEST), HIGHEST) - LOWEST) / (HIGHEST - LOWEST) * 1000)


def _line(line: Line) -> dict[str, Any]:
    return {
        "name": line.name,
        "shown": line.shown,
        "year": line.year,
        "state": line.state,
        "tone": line.tone,
        "at": None if line.score is None else _on_scale(line.score),
    }


def _alt(report: Report) -> str:
    """The chart for who does not see it."""
    bars = "; ".join(f"{line.name}, {line.shown}" for line in report.lines)
    marks = f"The floor of {report.floor} and the threshold of {report.threshold} are marked"
    return f"The factors as bars from 0.75 to 4.25. {marks}. {bars}."


def _factor(factor: FactorReport) -> dict[str, Any]:
    return {
        "title": f"{factor.number}. {factor.name}{' (retake)' if factor.is_retake else ''}",
        "shown": factor.shown,
        "state": factor.state,
        "how": factor.how,
        "arithmetic": factor.arithmetic,
        "beside": factor.beside,
        "criteria": [
            {
                "name": criterion.name,
                "question": criterion.question,
                "shown": three_decimals(criterion.mean),
                "arithmetic": criterion.arithmetic,
                "levels": [[level.name, level.values, level.words] for level in criterion.levels],
                "aside": criterion.aside,
            }
            for criterion in factor.criteria
        ],
        "feedback": factor.feedback,
        "comments": [comment.splitlines() for comment in factor.comments],
        "versions": f"Scoring policy {factor.policy}. Rubric version {factor.rubric}, SHA-256 {factor.rubric_hash}.",
    }


def _record(one: FactorRecord) -> dict[str, Any]:
    attempts = [
        f"{attempt.year}{' (retake)' if attempt.is_retake else ''}: {attempt.shown}, {attempt.how}"
        for attempt in one.attempts
    ]
    return {"name": one.name, "attempts": attempts, "words": one.words}
