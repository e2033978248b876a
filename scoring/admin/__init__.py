"""Staff's side of scoring."""

from scoring.admin import certificates, impartiality, outcomes, readings, standards

__all__ = ["certificates", "impartiality", "outcomes", "readings", "standards"]
