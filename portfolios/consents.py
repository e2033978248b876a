"""What the people seen in a film agreed to: stated by its candidate, and taken back, by them or by staff.

Whoever takes it back is never asked for a window: the film is hidden at once, and its bytes go with the next purge
(portfolios/purging.py). The lock order is the entry first.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from candidates import deadlines
from candidates.models import User
from icg_cert.lib.refusal import Refused
from icg_cert.mail import outbox
from portfolios import admission, consent_ledger, submission, uploads
from portfolios.models import Consent, Entry, Upload
from portfolios.uploads import rows

State, Purpose = Upload.State, Consent.Purpose
NAME_THEM = (
    "Name at least one signed release that you hold for this video, one a line, for example: Teacher release, 3 May."
)


@transaction.atomic
def confirm(upload_id: UUID, *, releases: Iterable[str], by: User, at: datetime) -> Upload:
    """Everyone seen in this film agreed, and these are the signed forms. The same forms again change nothing.

    Possible while the file is still on its way, and until the grace after closing is over. Refused: not-yours,
    slot-locked, window-closed, gone, no-film, releases-missing.
    """
    upload, entry = _locked(upload_id)
    named = "\n".join(name for line in releases if (name := " ".join(line.split())))
    _refuse_unless_owner(entry, by)
    _refuse_unless_film(upload)
    if upload.has_consent and upload.consent and upload.consent.releases == named:
        return upload
    admission.refuse_unless_finishable(entry, by=by, at=at)
    if not named:
        raise Refused("releases-missing", NAME_THEM, fields={"releases": NAME_THEM})
    consent_ledger.give(upload, Purpose.SCORING, releases=named, by=by, at=at)
    return upload


@transaction.atomic
def allow_training(upload_id: UUID, *, by: User, at: datetime) -> None:
    """The film may be used to train scorers, too; never a condition. A repeat changes nothing.

    Refused: not-yours, gone, no-film.
    """
    upload, entry = _locked(upload_id)
    _refuse_unless_owner(entry, by)
    _refuse_unless_film(upload)
    if not is_for_training(upload):
        consent_ledger.give(upload, Purpose.TRAINING, by=by, at=at)


def is_for_training(upload: Upload) -> bool:
    line = consent_ledger.standing(upload, Purpose.TRAINING)
    return line is not None and line.is_given


def withdraw(upload_id: UUID, *, reason: str = "", by: User, at: datetime) -> bool:
    """Somebody seen in the film takes their consent back: it is hidden at once, for every purpose, and for good.

    A submitted entry that holds it is a draft again until its closing; what is handed in for good stands as it is.
    Whether anything changed: a repeat is harmless. Refused: no-film, reason-missing (of staff).
    """
    upload = Upload.objects.get(pk=upload_id)
    if upload.state == State.OPEN:
        uploads.abort(upload_id, by=by, at=at)
    return _withdraw(upload_id, reason=reason, by=by, at=at)  # also what another tab completed in this very moment


@transaction.atomic
def _withdraw(upload_id: UUID, *, reason: str, by: User, at: datetime) -> bool:
    upload, entry = _locked(upload_id)
    if upload.consent and not upload.consent.is_given:
        return False
    _refuse_unless_reasoned(upload, entry, reason, by)
    if is_for_training(upload):
        consent_ledger.take_back(upload, Purpose.TRAINING, reason=reason, by=by, at=at)
    consent_ledger.take_back(upload, Purpose.SCORING, reason=reason, by=by, at=at)
    if upload.state not in (State.ABORTED, State.EXPIRED):
        upload.state, upload.transcript = State.WITHDRAWN, ""
        upload.save(update_fields=["state", "transcript"])
    is_reopened = _reopen(entry, upload, by=by, at=at)
    if is_reopened or by.pk != entry.registration.user_id:
        _tell(upload, entry, Purpose.SCORING, is_reopened=is_reopened, at=at)
    return True


@transaction.atomic
def withdraw_training(upload_id: UUID, *, reason: str = "", by: User, at: datetime) -> bool:
    """The film is used for scoring alone from now on; nothing is hidden. Whether anything changed. Refused as above."""
    upload, entry = _locked(upload_id)
    if not is_for_training(upload):
        return False
    _refuse_unless_reasoned(upload, entry, reason, by)
    consent_ledger.take_back(upload, Purpose.TRAINING, reason=reason, by=by, at=at)
    if by.pk != entry.registration.user_id:
        _tell(upload, entry, Purpose.TRAINING, is_reopened=False, at=at)
    return True


def withdrawn_from(entry: Entry) -> list[Upload]:
    """The films that were withdrawn from what was handed in: its manifest still names them."""
    films = Upload.objects.filter(entry=entry, state=State.WITHDRAWN).select_related("requirement")
    return [film for film in films if _is_in_manifest(entry, film)]


def reopens(entry: Entry, upload: Upload, at: datetime) -> bool:
    """Whether withdrawing the film makes a submitted entry a draft again."""
    is_open = at < deadlines.closes_at(entry.registration, entry.cycle)
    return entry.status == Entry.Status.SUBMITTED and is_open and _is_in_manifest(entry, upload)


def _is_in_manifest(entry: Entry, upload: Upload) -> bool:
    return any(file["upload"] == str(upload.pk) for file in (entry.manifest or {}).get("files", []))


def _reopen(entry: Entry, upload: Upload, *, by: User, at: datetime) -> bool:
    if not reopens(entry, upload, at):
        return False
    submission.make_draft(entry, by=by, at=at)
    return True


def _locked(upload_id: UUID) -> tuple[Upload, Entry]:
    entry = rows.locked_entry(Upload.objects.values_list("entry_id", flat=True).get(pk=upload_id))
    upload = rows.locked(pk=upload_id)
    if not upload.requirement.is_video:
        raise Refused("no-film", "Consent is asked for videos alone.")
    return upload, entry


def _refuse_unless_owner(entry: Entry, by: User) -> None:
    if entry.registration.user_id != by.pk:
        raise Refused("not-yours", "Only the candidate can say what the people in their video agreed to.")


def _refuse_unless_film(upload: Upload) -> None:
    if upload.state in Upload.GONE or upload.purged_at:
        raise Refused("gone", "This video is no longer part of your entry, so there is nothing to agree to.")


def _refuse_unless_reasoned(upload: Upload, entry: Entry, reason: str, by: User) -> None:
    if by.pk != entry.registration.user_id and not reason.strip():
        words = "Say who asked for it and how. It stays in the ledger of consents."
        raise Refused("reason-missing", words, fields={"reason": words})


def _tell(upload: Upload, entry: Entry, purpose: str, *, is_reopened: bool, at: datetime) -> None:
    line = consent_ledger.standing(upload, purpose)
    outbox.queue(
        "consent_withdrawn",
        to=entry.registration.user,
        key=f"consent-withdrawn:{line.pk if line else upload.pk}",
        at=at,
        requirement=upload.requirement.title,
        factor=str(entry.factor),
        is_training_alone=purpose == Purpose.TRAINING,
        is_reopened=is_reopened,
        may_edit=entry.is_editable and at < deadlines.closes_at(entry.registration, entry.cycle),
        closes_at=deadlines.closes_at(entry.registration, entry.cycle),
        path=f"/entries/{entry.pk}/",
    )
