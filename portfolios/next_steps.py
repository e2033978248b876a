"""What a candidate should do now about their entries."""

from datetime import datetime

from django.urls import reverse

from candidates.deadlines import Stage
from candidates.models import User
from icg_cert.lib.next_step import NextStep
from icg_cert.lib.windows import Phase
from portfolios.board import Board, Card, board


def next_step(user: User, at: datetime) -> NextStep | None:
    """What the candidate's entries ask for now; None for who takes no part (yet): others say what they should do."""
    return of_board(board(user, at))


def of_board(found: Board | None) -> NextStep | None:
    """The same, where the board is at hand."""
    if found is None or not found.registration.is_taking_part:
        return None
    return _while_open(found) if found.phase == Phase.OPEN else _while_closed(found)


def _while_open(found: Board) -> NextStep:
    closes_at = found.window.closes_at
    if ready := [card for card in found.drafts if not card.gaps]:
        return _of_card(ready[0], "Submit", "Everything it asks for is here.", "Check and submit", closes_at)
    if drafts := found.drafts:
        words = f"{len(drafts[0].gaps)} of its requirements still need something."
        return _of_card(drafts[0], "Finish", words, "Open this entry", closes_at)
    if found.is_something_due:
        return NextStep(_begin_title(found.stage), _BEGIN_WORDS[found.stage], _list(), "See your entries", closes_at)
    return NextStep(
        "Everything is submitted",
        "You can reopen and change an entry until the window closes. After that it is scored.",
        _list(),
        "See your entries",
        kind="wait",
    )


def _while_closed(found: Board) -> NextStep | None:
    if found.phase == Phase.AFTER:
        return None
    return NextStep(
        f"The {found.cycle.year} window is not open yet",
        "Read what each entry asks for, and collect your material. The dates stand on your entries page.",
        _list(),
        "See what the entries ask for",
        kind="wait",
    )


def _of_card(card: Card, verb: str, words: str, action: str, closes_at: datetime) -> NextStep:
    entry = card.entry
    url = reverse("portfolios:entry-detail", args=[entry.pk]) if entry else _list()
    return NextStep(f"{verb} {card.factor}", words, url, action, closes_at)


_BEGIN_WORDS = {
    Stage.ANY: "In this year you may hand in any entries, or none. Most candidates begin with one or two.",
    Stage.REMAINING: "In this year all entries that remain are due.",
    Stage.RETAKES: "In this year you can retake the factors that fell short.",
    Stage.NONE: "",
}


def _begin_title(stage: Stage) -> str:
    return {Stage.ANY: "Start an entry", Stage.RETAKES: "Start your retake"}.get(stage, "Start your remaining entries")


def _list() -> str:
    return reverse("portfolios:entry-list")
