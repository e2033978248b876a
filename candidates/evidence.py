"""Evidence of eligibility: staff ask one candidate a question, the candidate answers with words, a PDF, or both."""

from datetime import datetime

from django.core.files import File
from django.db import transaction

from candidates.models import EvidenceRequest, Registration, User
from candidates.registration import locked, move, refuse_own
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from icg_cert.mail import outbox

Status = Registration.Status


@transaction.atomic
def request(registration_id: int, *, question: str, by: User, at: datetime) -> EvidenceRequest:
    """Ask a candidate for proof; the same question asked again is the one that stands open.

    A question left open by an earlier decision is replaced, so that one at most waits for an answer. Refused
    "question-missing", "already-asked" (another question is open), "own-registration", "illegal-transition".
    """
    registration = locked(registration_id)
    refuse_own(registration, by)
    question = question.strip()
    if not question:
        raise Refused("question-missing", "Write what you ask for.", fields={"question": "Write what you ask for."})
    left_open = registration.evidence_requests.filter(answered_at=None).first()
    if registration.status == Status.EVIDENCE_REQUESTED and left_open:
        return _same_question(left_open, question)
    move(registration, Status.EVIDENCE_REQUESTED, verb="evidence.request", by=by, at=at, reason=question)
    asked = left_open or EvidenceRequest(registration=registration)
    asked.question, asked.asked_by, asked.asked_at = question, by, at
    asked.save()
    outbox.queue(
        "evidence_requested",
        to=registration.user,
        key=f"evidence_requested:{asked.pk}:{at.isoformat()}",
        at=at,
        request=asked,
        question=question,
    )
    return asked


def _same_question(open_request: EvidenceRequest, question: str) -> EvidenceRequest:
    if open_request.question != question:
        raise Refused(
            "already-asked",
            "Another question is open for this candidate. Wait for the answer, or decide without it.",
        )
    return open_request


@transaction.atomic
def answer(request_id: int, *, words: str, document: "File[bytes] | None", by: User, at: datetime) -> EvidenceRequest:
    """Store the candidate's answer. The same answer again changes nothing.

    `document` is a PDF whose form has been checked, or None. Refused "already-answered" when it is another one,
    "answer-missing" without words and document, "not-asked" when the question does not wait any more.
    """
    # The registration first, as `request` does, or the two would wait for each other.
    registration = locked(EvidenceRequest.objects.values_list("registration", flat=True).get(pk=request_id))
    asked = EvidenceRequest.objects.select_for_update().get(pk=request_id)
    if asked.answered_at:
        _refuse_another(asked, words, document)
        return asked
    if registration.status != Status.EVIDENCE_REQUESTED:
        raise Refused("not-asked", "We decided without this answer, so nothing was sent. You need do nothing more.")
    if not words.strip() and not document:
        missing = "Attach a PDF, write an answer, or do both."
        raise Refused("answer-missing", missing, fields={"document": missing})
    asked.answer, asked.answered_at = words.strip(), at
    if document:
        asked.document.save("evidence.pdf", document, save=False)
    asked.save()
    move(registration, Status.EVIDENCE_RECEIVED, verb="evidence.answer", by=by, at=at)
    trail.record("evidence.answer", asked, by=by, at=at, after={"has_document": bool(document)})
    key = f"evidence_received:{asked.pk}"
    outbox.queue("evidence_received", to=registration.user, key=key, at=at, request=asked)
    return asked


def _refuse_another(asked: EvidenceRequest, words: str, document: "File[bytes] | None") -> None:
    """Nobody may believe that a second answer arrived, when the first one stands."""
    if asked.answer != words.strip() or _bytes(asked.document) != _bytes(document):
        raise Refused(
            "already-answered",
            "You have answered this question already, and that answer is what we have. Write to us to add something.",
        )


def _bytes(document: "File[bytes] | None") -> bytes:
    if not document:
        return b""
    with document.open() as file:
        return file.read()
