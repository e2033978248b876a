from datetime import timedelta
from functools import partial

import pytest
from django.core.files.base import ContentFile

from candidates import evidence, registration
from candidates.models import EvidenceRequest, Registration, User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from tests.factories import at, make_registration
from tests.threads import run_at_once, run_behind

NOW = at(2026, 12, 1, 9)
LATER = NOW + timedelta(days=1)
PDF = b"%PDF-1.7\n%%EOF"


def ask(row: Registration, staff: User, question: str = "Please send a letter.") -> EvidenceRequest:
    return evidence.request(row.pk, question=question, by=staff, at=NOW)


def status(row: Registration) -> str:
    row.refresh_from_db()
    return row.status


def verbs() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("verb", flat=True))


def test_request_asks_records_and_tells(staff: User) -> None:
    row = make_registration()
    asked = ask(row, staff, " Please send a letter. ")
    assert (asked.question, asked.asked_by, asked.asked_at) == ("Please send a letter.", staff, NOW)
    assert (status(row), verbs()) == ("evidence_requested", ["evidence.request"])
    mail = Message.objects.get()
    assert (mail.event, mail.to) == ("evidence_requested", row.user.email)
    assert "“Please send a letter.”" in mail.body_text
    assert f"/evidence/{asked.pk}/" in mail.body_text


def test_request_twice_asks_once_and_another_question_waits(staff: User) -> None:
    row = make_registration()
    assert ask(row, staff) == ask(row, staff)
    assert (len(verbs()), Message.objects.count()) == (1, 1)
    with pytest.raises(Refused) as refused:
        ask(row, staff, "And your hours?")
    assert refused.value.code == "already-asked"


def test_request_needs_a_question_and_another_person(staff: User, other_staff: User) -> None:
    with pytest.raises(Refused, match="Write what you ask for"):
        ask(make_registration(), staff, "  ")
    with pytest.raises(Refused, match="your own"):
        ask(make_registration(other_staff), other_staff)


@pytest.mark.parametrize("ended", ["refused", "withdrawn", "lapsed"])
def test_request_refused_after_the_end(staff: User, ended: str) -> None:
    with pytest.raises(Refused) as refused:
        ask(make_registration(status=ended), staff)
    assert (refused.value.code, EvidenceRequest.objects.count()) == ("illegal-transition", 0)


def test_answer_with_words_and_document(staff: User) -> None:
    row = make_registration()
    asked = ask(row, staff)
    done = evidence.answer(asked.pk, words=" Here it is. ", document=ContentFile(PDF), by=row.user, at=LATER)
    with done.document.open() as stored:
        assert (done.answer, done.answered_at, stored.read()) == ("Here it is.", LATER, PDF)
    assert done.document.name.startswith("evidence/")
    assert done.document.name.endswith(".pdf")
    assert (status(row), verbs()) == (
        "evidence_received",
        ["evidence.request", "evidence.answer", "evidence.answer"],
    )
    assert list(Message.objects.order_by("pk").values_list("event", flat=True)) == [
        "evidence_requested",
        "evidence_received",
    ]


@pytest.mark.parametrize("pdf", [b"", PDF])
def test_answer_again_changes_nothing(staff: User, pdf: bytes) -> None:
    row = make_registration()
    asked = ask(row, staff)
    for words in ("First", " First "):
        document = ContentFile(pdf) if pdf else None
        again = evidence.answer(asked.pk, words=words, document=document, by=row.user, at=LATER)
    assert (again.answer, bool(again.document), Message.objects.count()) == ("First", bool(pdf), 2)


@pytest.mark.parametrize(("words", "pdf"), [("Second", PDF), ("First", PDF + b"2"), ("First", b"")])
def test_answer_with_something_else_is_refused_and_the_first_stands(staff: User, words: str, pdf: bytes) -> None:
    row = make_registration()
    asked = ask(row, staff)
    evidence.answer(asked.pk, words="First", document=ContentFile(PDF), by=row.user, at=LATER)
    document = ContentFile(pdf) if pdf else None
    with pytest.raises(Refused) as refused:
        evidence.answer(asked.pk, words=words, document=document, by=row.user, at=LATER)
    assert (refused.value.code, EvidenceRequest.objects.get().answer) == ("already-answered", "First")


def test_answer_needs_words_or_a_document(staff: User) -> None:
    row = make_registration()
    with pytest.raises(Refused) as refused:
        evidence.answer(ask(row, staff).pk, words=" ", document=None, by=row.user, at=LATER)
    assert (refused.value.code, list(refused.value.fields), status(row)) == (
        "answer-missing",
        ["document"],
        "evidence_requested",
    )


def test_answer_after_the_decision_is_refused_and_the_question_can_be_asked_anew(staff: User) -> None:
    row = make_registration()
    asked = ask(row, staff)
    assert list(EvidenceRequest.objects.open()) == [asked]
    registration.approve(row.pk, by=staff, at=LATER)
    assert list(EvidenceRequest.objects.open()) == []
    with pytest.raises(Refused) as refused:
        evidence.answer(asked.pk, words="Late", document=None, by=row.user, at=LATER)
    assert refused.value.code == "not-asked"
    anew = evidence.request(row.pk, question="Once more, please.", by=staff, at=LATER)
    assert (anew.pk, anew.question, status(row)) == (asked.pk, "Once more, please.", "evidence_requested")


@pytest.mark.django_db(transaction=True)
def test_answer_from_two_tabs_at_once() -> None:
    row, staff = make_registration(), make_registration().user
    asked = ask(row, staff)
    run_at_once(lambda: evidence.answer(asked.pk, words="Here", document=None, by=row.user, at=LATER), times=2)
    assert verbs() == ["evidence.request", "evidence.answer", "evidence.answer"]


@pytest.mark.django_db(transaction=True)
def test_answer_while_staff_ask_anew_keeps_neither_waiting() -> None:
    row, staff = make_registration(), make_registration().user
    asked = ask(row, staff)
    registration.approve(row.pk, by=staff, at=NOW)
    again = partial(evidence.request, row.pk, question="Once more, please.", by=staff, at=NOW)
    answering = partial(evidence.answer, asked.pk, words="Here", document=None, by=row.user, at=LATER)
    run_behind(lambda: Registration.objects.select_for_update().get(pk=row.pk), [again, answering])
    assert EvidenceRequest.objects.values_list("question", "answer").get() == ("Once more, please.", "Here")
    assert status(row) == "evidence_received"
