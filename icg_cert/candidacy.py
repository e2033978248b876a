"""What a person has with the programme, read once for all that speaks of it: the next steps and the dashboard."""

from datetime import datetime
from functools import cached_property
from typing import Any

from candidates import history
from candidates.models import Registration
from portfolios import board, entries
from portfolios.models import Entry
from scoring import results
from scoring.models import Result


class Candidacy:
    """One signed-in person at one instant. Each part is read when it is first asked for."""

    def __init__(self, user: Any, at: datetime) -> None:
        self.user, self.at = user, at

    @cached_property
    def registrations(self) -> list[Registration]:
        """All of theirs, the newest first."""
        return history.registrations(self.user)

    @cached_property
    def entries(self) -> list[Entry]:
        """Those of all their registrations, by factor and year."""
        return entries.of(self.registrations) if self.registrations else []

    @cached_property
    def board(self) -> board.Board | None:
        return board.among(self.registrations, self.entries, self.at)

    @cached_property
    def results(self) -> list[Result]:
        """What is out, the latest first; some may be withheld."""
        return results.due(self.registrations, self.at) if self.registrations else []
