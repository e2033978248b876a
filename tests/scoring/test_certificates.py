"""Certificates: issued once, verified by whoever has the code, revoked with a reason."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
from bs4 import BeautifulSoup
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pikepdf import Pdf

from candidates.models import Registration, User
from icg_cert.audit.models import Event
from icg_cert.lib import clock
from icg_cert.lib.guesses import MISSES
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from scoring import certificates
from scoring.certificates import Answer, Verification
from scoring.models import Certificate, Result
from tests.factories import (
    MICROSECOND,
    at,
    make_cycle,
    make_registration,
    make_release,
    make_result,
)
from tests.threads import run_at_once

DUE = at(2027, 10, 31, 9)


def certify(registration: Registration) -> Certificate:
    make_release(make_cycle(2027), "released")
    certificate = certificates.issue(make_result(registration, released_at=DUE), at=DUE)
    Certificate.objects.filter(pk=certificate.pk).update(code="K7PQM3XZ")
    return Certificate.objects.select_related("result").get()


@pytest.fixture
def certificate(candidate: User) -> Certificate:
    return certify(make_registration(candidate))


def get(url: str, user: User | None = None, **headers: str) -> HttpResponse:
    clock.jump_to(at(2027, 11, 1))
    client = Client()
    if user:
        client.force_login(user)
    response: HttpResponse = client.get(url, headers=headers)  # type: ignore[assignment]
    return response


def words(response: HttpResponse) -> str:
    main = BeautifulSoup(response.content, "html.parser").find("main")
    assert main is not None
    return " ".join(main.get_text(" ").split())


def test_issue_keeps_the_name_of_that_day(certificate: Certificate, candidate: User) -> None:
    candidate.name = "Ada Newname"
    candidate.save()
    certificate.refresh_from_db()
    assert (certificate.holder_name, certificate.issued_at, certificate.is_revoked) == ("Ada Abara", DUE, False)


def test_issue_twice_keeps_the_first_and_mails_once(certificate: Certificate) -> None:
    assert certificates.issue(certificate.result, at=DUE + timedelta(days=1)) == certificate
    assert Message.objects.filter(event="certified").count() == 1
    assert Event.objects.filter(verb="certificate.issue").count() == 1


def test_issue_for_a_result_that_certifies_nobody_is_a_defect(certificate: Certificate) -> None:
    certificate.result.status = Result.Status.NOT_YET
    with pytest.raises(ValueError, match="is not certified"):
        certificates.issue(certificate.result, at=DUE)


def test_revoke_needs_a_reason_and_keeps_the_first(certificate: Certificate, staff: User) -> None:
    with pytest.raises(Refused) as refused:
        certificates.revoke(certificate.pk, reason="  ", by=staff, at=DUE)
    assert refused.value.code == "no-reason"
    certificates.revoke(certificate.pk, reason="The video was not theirs.", by=staff, at=DUE)
    certificates.revoke(certificate.pk, reason="Another.", by=staff, at=DUE + timedelta(days=1))
    assert Certificate.objects.values_list("revoked_at", "revoked_reason").get() == (DUE, "The video was not theirs.")
    assert list(Event.objects.filter(verb="certificate.revoke").values_list("actor", "reason")) == [
        (staff.pk, "The video was not theirs.")
    ]


@pytest.mark.django_db(transaction=True)
def test_revoke_at_once_is_one_revocation(candidate: User, staff: User) -> None:
    certificate = certify(make_registration(candidate))
    run_at_once(lambda: certificates.revoke(certificate.pk, reason="Why.", by=staff, at=DUE), times=2)
    assert Event.objects.filter(verb="certificate.revoke").count() == 1


@pytest.mark.parametrize(
    "typed", ["K7PQM3XZ", "k7pqm3xz", " k7pq m3xz ", "K7PQ-M3XZ", "https://example.org/verify/K7PQM3XZ/", "k7pq.m3xz"]
)
def test_verify_reads_codes_as_people_type_them(certificate: Certificate, typed: str) -> None:
    assert certificates.verify(typed, DUE) == Verification("K7PQM3XZ", Answer.VALID, certificate)


@pytest.mark.parametrize("typed", ["", "K7PQM3X", "K7PQM3XZZ", "BBBBBBBB", "' OR 1=1 --", "\x00", "é" * 500])
def test_verify_knows_nothing_else(certificate: Certificate, typed: str) -> None:
    assert certificates.verify(typed, DUE).answer is Answer.UNKNOWN


def test_verify_by_the_instants(certificate: Certificate, staff: User) -> None:
    revoked_at = DUE + timedelta(days=10)
    certificates.revoke(certificate.pk, reason="Why.", by=staff, at=revoked_at)
    answers = [
        certificates.verify("K7PQM3XZ", when).answer
        for when in (DUE - MICROSECOND, DUE, revoked_at - MICROSECOND, revoked_at)
    ]
    assert answers == [Answer.UNKNOWN, Answer.VALID, Answer.VALID, Answer.REVOKED]


# ---- The pages


def test_verify_page_valid(certificate: Certificate) -> None:
    response = get("/verify/k7pq m3xz/")
    assert (response.status_code, response["X-Robots-Tag"]) == (200, "noindex, nofollow")
    assert "This certificate is valid" in words(response)
    assert "Ada Abara is certified as an instructional coach" in words(response)
    assert "31 October 2027" in words(response)


def test_verify_page_shows_nothing_but_name_and_day(certificate: Certificate, candidate: User) -> None:
    html = get("/verify/K7PQM3XZ/").content.decode()
    for secret in [candidate.email, certificate.registration.code, certificate.registration.district, "3.000"]:
        assert secret not in html


def test_verify_page_revoked_keeps_the_reason(certificate: Certificate, staff: User) -> None:
    certificates.revoke(certificate.pk, reason="The video was not theirs.", by=staff, at=DUE)
    response = get("/verify/K7PQM3XZ/")
    assert (response.status_code, "This certificate was revoked" in words(response)) == (200, True)
    assert "The video was not theirs." not in words(response)


def test_verify_page_unknown(certificate: Certificate) -> None:
    response = get("/verify/bbbb2222/")
    assert (response.status_code, response["X-Robots-Tag"]) == (404, "noindex, nofollow")
    assert "We know no certificate with this code" in words(response)


def test_verify_form_goes_to_the_code(db: None) -> None:
    response = get("/verify/?code=k7pq+m3xz")
    assert (response.status_code, response["Location"]) == (302, "/verify/K7PQM3XZ/")
    assert "Enter the code that is printed" in words(get("/verify/?code=+"))


def test_verify_slows_down_guessing_and_nothing_else(certificate: Certificate) -> None:
    for number in range(MISSES - 1):
        assert get(f"/verify/BBBB{number}/").status_code == 404
    assert get("/verify/K7PQM3XZ/").status_code == 200
    assert get("/verify/BBBBBBBB/").status_code == 404
    slowed = get("/verify/BBBBBBBB/")
    assert (slowed.status_code, slowed["Retry-After"]) == (429, "600")
    assert "wait ten minutes" in words(slowed)


def test_certificate_is_an_accessible_pdf(certificate: Certificate, candidate: User) -> None:
    response = get("/certificates/K7PQM3XZ/certificate.pdf", candidate)
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    assert response["Content-Disposition"] == 'inline; filename="ICG-certificate-K7PQM3XZ.pdf"'
    with Pdf.open(BytesIO(response.content)) as pdf:
        [page] = pdf.pages
        assert [int(side) for side in page.mediabox] == [0, 0, 792, 612]
        assert (str(pdf.docinfo["/Title"]), str(pdf.Root.Lang)) == ("Certificate of Ada Abara", "en")
        assert bool(pdf.Root.MarkInfo.Marked)
        assert "/StructTreeRoot" in pdf.Root


@pytest.mark.parametrize(
    "name", ["Ω" * 5, "Zoë Nuñez-Østergård", "A" * 150, '"#eval" $x$ *b* _i_ @ref <tag> \\', "\u0378"]
)
def test_document_takes_any_name(certificate: Certificate, name: str) -> None:
    certificate.holder_name = name
    assert re.match(rb"%PDF-", certificates.document(certificate))


def test_certificate_of_somebody_else_is_404(certificate: Certificate, stranger: User, staff: User) -> None:
    url = reverse("scoring:certificate", args=["K7PQM3XZ"])
    assert [get(url, user).status_code for user in (stranger, staff, None)] == [404, 200, 302]


def test_certificate_revoked_has_no_document(certificate: Certificate, candidate: User, staff: User) -> None:
    certificates.revoke(certificate.pk, reason="Why.", by=staff, at=DUE)
    response = get("/certificates/K7PQM3XZ/certificate.pdf", candidate)
    assert (response.status_code, "This certificate was revoked" in words(response)) == (409, True)


# ---- The admin


def test_admin_revokes_with_a_reason(certificate: Certificate, staff: User, scorer: User) -> None:
    url = reverse("admin:scoring_certificate_revoke", args=[certificate.pk])
    clock.jump_to(DUE + timedelta(days=1))
    client = Client()
    client.force_login(staff)
    assert "Ada Abara" in client.get(url).content.decode()
    assert client.post(url, {"reason": ""}).status_code == 200
    assert client.post(url, {"reason": "Why."}).status_code == 302
    assert Certificate.objects.get().revoked_reason == "Why."


def test_admin_does_not_let_finance_revoke(certificate: Certificate, finance: User) -> None:
    client = Client()
    client.force_login(finance)
    assert client.post(reverse("admin:scoring_certificate_revoke", args=[certificate.pk])).status_code == 403
