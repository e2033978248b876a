"""Staff's side of scoring."""

from scoring.admin import calibration, impartiality, outcomes, readings, standards

__all__ = ["calibration", "impartiality", "outcomes", "readings", "standards"]
