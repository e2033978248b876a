"""Staff's side of scoring."""

from scoring.admin import outcomes, readings, standards

__all__ = ["outcomes", "readings", "standards"]
