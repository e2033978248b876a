"""Staff's side of scoring."""

from scoring.admin import impartiality, outcomes, readings, standards

__all__ = ["impartiality", "outcomes", "readings", "standards"]
