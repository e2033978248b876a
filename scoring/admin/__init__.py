"""Staff's side of scoring."""

from scoring.admin import gate, impartiality, outcomes, readings, standards

__all__ = ["gate", "impartiality", "outcomes", "readings", "standards"]
