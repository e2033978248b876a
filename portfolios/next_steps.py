"""What a candidate should do now about their entries."""

from django.urls import reverse

from candidates.deadlines import Stage
from candidates.models import Cycle
from icg_cert.lib.next_step import NextStep
from icg_cert.lib.windows import Phase
from icg_cert.lib.words import day_of
from portfolios.board import Board, Card


def next_step(found: Board | None) -> NextStep | None:
    """What the candidate's entries ask for now; None for who takes no part (yet): others say what they should do."""
    if found is None or not found.registration.is_taking_part:
        return None
    return _while_open(found) if found.phase == Phase.OPEN else _while_closed(found)


def _while_open(found: Board) -> NextStep:
    closes_at = found.window.closes_at
    if ready := [card for card in found.drafts if not card.gaps]:
        url = reverse("portfolios:entry-submit", args=[ready[0].entry_id])
        return NextStep(
            f"Submit {ready[0].factor}", "Everything it asks for is here.", url, "Check and submit", closes_at
        )
    if drafts := found.drafts:
        url = reverse("portfolios:entry-detail", args=[drafts[0].entry_id])
        return NextStep(f"Finish {drafts[0].factor}", _needs(drafts[0]), url, "Open this entry", closes_at)
    if found.is_something_due:
        return NextStep(_begin_title(found.stage), _BEGIN_WORDS[found.stage], _list(), "See your entries", closes_at)
    if found.handed_in:
        words = f"You can reopen and change an entry until the window closes. {_scores_on(found.cycle)}"
        title = "What you began is submitted" if found.untouched else "Everything is submitted"
        return NextStep(title, words, _list(), "See your entries", kind="wait")
    words = "You have handed in what there was to hand in; this window asks nothing more of you."
    return NextStep("Nothing is due in this window", words, _list(), "See your entries", kind="wait")


def _while_closed(found: Board) -> NextStep | None:
    """Between windows: the scores that are to come, then the window that is to come."""
    if found.finishing:
        return _in_grace(found, found.finishing[0])
    if found.phase == Phase.AFTER:
        return _handed_in(_scores_on(found.cycle)) if found.handed_in else None
    opens = f"The window of {found.cycle.year} opens on {day_of(found.window.opens_at)}."
    before = [card.earlier for card in found.cards if card.earlier and not card.earlier.outcome]
    if awaited := [entry.cycle for entry in before if found.at < entry.cycle.releases_at]:
        return _handed_in(f"{_scores_on(awaited[0])} {opens}")
    if not found.is_something_due:
        return None
    words = f"{opens} Until then, read what each entry asks for, and collect your material."
    title = f"The {found.cycle.year} window is not open yet"
    return NextStep(title, words, _list(), "See what the entries ask for", kind="wait")


def _in_grace(found: Board, card: Card) -> NextStep:
    url = reverse("portfolios:entry-detail", args=[card.entry_id])
    words = f"The window is closed, but what began in time may still be finished. {_needs(card)}"
    return NextStep(f"Finish {card.factor}", words, url, "Open this entry", found.finish_by)


def _handed_in(words: str) -> NextStep:
    return NextStep("Your entries are handed in", words, _list(), "See your entries", kind="wait")


def _scores_on(cycle: Cycle) -> str:
    return f"Scores are released on {day_of(cycle.releases_at)}."


def _needs(card: Card) -> str:
    number = len(card.gaps)
    return "One thing is still missing." if number == 1 else f"{number} things are still missing."


_BEGIN_WORDS = {
    Stage.ANY: "In this first year you may hand in any entries, or none.",
    Stage.REMAINING: "In this year all entries that remain are due.",
    Stage.RETAKES: "In this year you can retake the factors that fell short.",
    Stage.NONE: "",
}


def _begin_title(stage: Stage) -> str:
    return {Stage.ANY: "Start an entry", Stage.RETAKES: "Start your retake"}.get(stage, "Start your remaining entries")


def _list() -> str:
    return reverse("portfolios:entry-list")
