"""What somebody should do now: the one card on top of every signed-in page."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class NextStep:
    """A title, a sentence, and one way on. `deadline` is the first instant that is too late, where there is one.

    `kind` is "todo" when the person must act, "wait" when the programme must, "done" when nothing is left.
    """

    title: str
    text: str
    url: str
    action: str
    deadline: datetime | None = None
    kind: str = "todo"
