"""Letters to a candidate: about the decision of an appeal, and at the end of the process. PDFs from one template."""

from collections.abc import Sequence
from datetime import datetime

from candidates import announced
from candidates.models import Registration
from icg_cert.lib import pdf
from icg_cert.lib.words import day_of
from scoring import workings
from scoring.models import Appeal, FactorScore

HEAD = ["What", "Score"]
FINAL = "This decision is final for this score."


def render(
    *,
    title: str,
    on: datetime,
    registration: Registration,
    paragraphs: Sequence[str],
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    after: Sequence[str],
) -> bytes:
    """A letter with one table in it, between paragraphs."""
    programme = announced.programme()
    return pdf.render(
        "letter.typ",
        {
            "title": title,
            "programme": programme.name if programme else "",
            "contact": programme.contact_email if programme else "",
            "on": day_of(on),
            "name": registration.user.name,
            "code": registration.code,
            "paragraphs": list(paragraphs),
            "head": list(head),
            "rows": [list(row) for row in rows],
            "after": list(after),
        },
    )


def of_decision(appeal: Appeal) -> bytes:
    """What was decided about a verified score. Of an appeal loaded with its entry, score and result."""
    entry, before = appeal.entry, appeal.score
    now = FactorScore.objects.get(result=appeal.result_id, entry=entry.pk) if appeal.result_id else before
    rows = [
        ["Score that was released", workings.printed(before.score)],
        ["What all readings come to", workings.printed(appeal.verified or before.score)],
        ["Score that stands", workings.printed(now.score)],
    ]
    return render(
        title="Decision about your appeal",
        on=appeal.ended_at or appeal.asked_at,
        registration=entry.registration,
        paragraphs=[
            f"You asked us to verify the score of your entry of {entry.cycle.year} for factor {entry.factor.number}, "
            f"{entry.factor.name}.",
            outcome_words(appeal),
        ],
        head=HEAD,
        rows=rows,
        after=[*filter(None, appeal.words.split("\n\n")), FINAL],
    )


def outcome_words(appeal: Appeal) -> str:
    """The decision in a sentence or two, for page and letter."""
    if appeal.outcome == Appeal.Outcome.RAISED:
        return (
            "Somebody who had read nothing of it read the entry again, without knowing your score or why. The score "
            "is raised, and a new report takes the place of the earlier one, which is kept."
        )
    return (
        "Somebody who had read nothing of it read the entry again, without knowing your score or why. The released "
        "score is confirmed. A score is never lowered by asking."
    )
