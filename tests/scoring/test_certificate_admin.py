"""Staff take a certificate back, or issue it in another name: with a look before, and a reason."""

from io import BytesIO

import pytest
from django.http import HttpResponse
from django.urls import reverse
from pypdf import PdfReader

from candidates.models import User
from scoring import certificates
from scoring.models import Certificate
from tests.scoring.holding import CODE, LATER, ask, certified

RENAMED = {"name": "Ada Adebayo", "reason": "Married, document seen."}


@pytest.fixture
def certificate(candidate: User) -> Certificate:
    return certified(candidate)


def admin(word: str, certificate: Certificate, user: User, method: str = "get", **data: str) -> HttpResponse:
    return ask(reverse(f"admin:scoring_certificate_{word}", args=[certificate.pk]), user, method, **data)


def test_revoke_says_what_will_happen_and_asks_why(certificate: Certificate, staff: User) -> None:
    html = admin("revoke", certificate, staff).content.decode()
    assert ("Ada Abara" in html, "We mail them the reason." in html) == (True, True)
    assert admin("revoke", certificate, staff, "post", reason="").status_code == 200
    assert not Certificate.objects.get().is_revoked
    assert admin("revoke", certificate, staff, "post", reason="Why.").status_code == 302
    assert Certificate.objects.get().revoked_reason == "Why."


def test_reissue_begins_with_the_name_in_the_profile(certificate: Certificate, candidate: User, staff: User) -> None:
    User.objects.filter(pk=candidate.pk).update(name="Ada Adebayo")
    html = admin("reissue", certificate, staff).content.decode()
    assert ('value="Ada Adebayo"' in html, "This cannot be undone." in html) == (True, True)


def test_reissue_shows_before_what_it_will_look_like(certificate: Certificate, staff: User) -> None:
    response = admin("reissue", certificate, staff, "post", name="Ada Adebayo", preview="1")
    assert response["Content-Type"] == "application/pdf"
    [page] = PdfReader(BytesIO(response.content)).pages
    assert ("Ada Adebayo" in page.extract_text(), "K7PQ" in page.extract_text()) == (True, False)
    assert Certificate.objects.get().code == CODE


def test_reissue_leads_to_the_new_one(certificate: Certificate, staff: User) -> None:
    response = admin("reissue", certificate, staff, "post", **RENAMED)
    new = Certificate.objects.get(replaces=certificate)
    assert response["Location"] == reverse("admin:scoring_certificate_change", args=[new.pk])


def test_reissue_says_in_the_form_why_not(certificate: Certificate, staff: User) -> None:
    response = admin("reissue", certificate, staff, "post", name="Ada Abara", reason="Why.")
    assert (response.status_code, "This is the name on the certificate already" in response.content.decode()) == (
        200,
        True,
    )


@pytest.mark.parametrize("word", ["revoke", "reissue"])
def test_what_happened_meanwhile_is_said(certificate: Certificate, staff: User, word: str) -> None:
    certificates.reissue(certificate.pk, name="Ada Third", reason="Why.", by=staff, at=LATER)
    response = admin(word, certificate, staff, "post", **RENAMED)
    assert (response.status_code, "This certificate was replaced by" in response.content.decode()) == (200, True)


@pytest.mark.parametrize("word", ["revoke", "reissue"])
def test_nobody_but_staff_may(
    certificate: Certificate, candidate: User, scorer: User, finance: User, word: str
) -> None:
    asked = [admin(word, certificate, user, "post", **RENAMED).status_code for user in (candidate, scorer, finance)]
    assert asked == [302, 302, 403]
    assert Certificate.objects.in_force(LATER).get() == certificate


def test_buttons_are_gone_with_the_end(certificate: Certificate, staff: User) -> None:
    staff.is_superuser = True
    staff.save()
    assert "Issue in another name" in admin("change", certificate, staff).content.decode()
    certificates.revoke(certificate.pk, reason="Why.", by=staff, at=LATER)
    assert "Issue in another name" not in admin("change", certificate, staff).content.decode()
