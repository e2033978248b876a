"""Writing the ledger of consents: the one place that adds a line and lets the film point at it."""

from datetime import datetime

from candidates.models import PolicyText, User
from icg_cert.audit import trail
from portfolios.models import Consent, Upload

TEXTS = {Consent.Purpose.SCORING: PolicyText.Kind.CONSENT, Consent.Purpose.TRAINING: PolicyText.Kind.TRAINING}


def give(upload: Upload, purpose: str, *, releases: str = "", by: User, at: datetime) -> Consent:
    """To the text of today. The caller has locked the film's row, or has just made it."""
    text = PolicyText.current(TEXTS[Consent.Purpose(purpose)])
    line = Consent(upload=upload, purpose=purpose, act=Consent.Act.GIVEN, text=text, releases=releases, by=by, at=at)
    return _enter(line, {"purpose": purpose, "version": text.version})


def take_back(upload: Upload, purpose: str, *, reason: str, by: User, at: datetime) -> Consent:
    given = standing(upload, purpose)
    text = given.text if given else None
    line = Consent(upload=upload, purpose=purpose, act=Consent.Act.WITHDRAWN, text=text, reason=reason, by=by, at=at)
    return _enter(line, {"purpose": purpose})


def standing(upload: Upload, purpose: str) -> Consent | None:
    """The newest line for a purpose, whatever it says."""
    return upload.consents.filter(purpose=purpose).order_by("at", "pk").select_related("text").last()


def _enter(line: Consent, after: dict[str, object]) -> Consent:
    """Neither the names of releases nor the words of a reason go into the trail: they may name people."""
    line.save()
    if line.purpose == Consent.Purpose.SCORING:
        line.upload.consent = line
        line.upload.save(update_fields=["consent"])
    verb = "give" if line.is_given else "withdraw"
    trail.record(f"consent.{verb}", line.upload, by=line.by, at=line.at, after=after)
    return line
