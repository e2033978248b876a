"""Staff's side of scoring."""

from scoring.admin import calibration, certificates, gate, impartiality, outcomes, readings, standards

__all__ = ["calibration", "certificates", "gate", "impartiality", "outcomes", "readings", "standards"]
