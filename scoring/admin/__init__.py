"""Staff's side of scoring."""

from scoring.admin import calibration, certificates, impartiality, outcomes, readings, standards

__all__ = ["calibration", "certificates", "impartiality", "outcomes", "readings", "standards"]
