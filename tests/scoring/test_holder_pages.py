"""The page of a certified coach: the certificate, the badge, ways to show it, the choices."""

from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup
from django.http import HttpResponse

from candidates.models import User
from scoring import certificates, privacy
from scoring.models import Certificate
from scoring.privacy import Choices
from tests.scoring.holding import DUE, LATER, ask, certified, words

VERIFY = "http://localhost:8000/verify/K7PQM3XZ/"


@pytest.fixture
def certificate(candidate: User) -> Certificate:
    return certified(candidate)


def links(response: HttpResponse) -> list[str]:
    return [str(link["href"]) for link in BeautifulSoup(response.content, "html.parser").select("main a[href]")]


def test_page_without_a_certificate_says_what_will_stand_there(candidate: User) -> None:
    response = ask("/certificates/", candidate)
    assert (response.status_code, "No certificate yet" in words(response)) == (200, True)
    assert "Who sees what" not in words(response)


def test_page_shows_the_certificate_and_what_can_be_done_with_it(certificate: Certificate, candidate: User) -> None:
    response = ask("/certificates/", candidate)
    for part in ("Issued to Ada Abara", "Awarded on 31 October 2027", "K7PQ M3XZ", "What happens next"):
        assert part in words(response)
    assert {"/certificates/K7PQM3XZ/certificate.pdf", VERIFY} <= set(links(response))
    assert "badge" not in words(response).split("Who sees what")[0].casefold()


def test_page_offers_the_badge_where_there_is_a_key(
    certificate: Certificate, candidate: User, badge_key: object
) -> None:
    assert "/certificates/K7PQM3XZ/badge.jwt" in links(ask("/certificates/", candidate))


def test_page_leads_to_linkedins_form_filled_in(certificate: Certificate, candidate: User) -> None:
    [profile] = [link for link in links(ask("/certificates/", candidate)) if "profile/add" in link]
    address = urlsplit(profile)
    assert f"{address.scheme}://{address.netloc}{address.path}" == "https://www.linkedin.com/profile/add"
    assert parse_qs(address.query) == {
        "startTask": ["CERTIFICATION_NAME"],
        "name": ["Certified Instructional Coach"],
        "organizationName": ["Instructional Coaching Group"],
        "issueYear": ["2027"],
        "issueMonth": ["10"],
        "certUrl": [VERIFY],
        "certId": ["K7PQM3XZ"],
    }


def test_page_shares_the_verification_page(certificate: Certificate, candidate: User) -> None:
    found = links(ask("/certificates/", candidate))
    [post] = [link for link in found if "share-offsite" in link]
    assert parse_qs(urlsplit(post).query) == {"url": [VERIFY]}
    [mail] = [link for link in found if link.startswith("mailto:?")]
    assert parse_qs(urlsplit(mail).query)["body"] == [VERIFY]


def test_page_keeps_choices(certificate: Certificate, candidate: User) -> None:
    response = ask("/certificates/", candidate, "post", shows_name="on", is_listed="on", state="KS")
    assert (response.status_code, response["Location"]) == (302, "/certificates/")
    wanted = Choices(shows_name=True, is_listed=True, state="KS")
    assert privacy.choices_of(User.objects.get(pk=candidate.pk)) == wanted
    html = BeautifulSoup(ask("/certificates/", candidate).content, "html.parser")
    assert [str(box["name"]) for box in html.select("main input[checked]")] == ["shows_name", "is_listed"]


def test_page_says_beside_the_field_why_a_choice_is_refused(certificate: Certificate, candidate: User) -> None:
    response = ask("/certificates/", candidate, "post", is_listed="on")
    assert (response.status_code, "The directory shows your name" in words(response)) == (200, True)


def test_page_refuses_choices_of_who_has_no_certificate(certificate: Certificate, stranger: User) -> None:
    response = ask("/certificates/", stranger, "post", shows_name="on")
    assert (response.status_code, "as soon as you have a certificate" in words(response)) == (409, True)


def test_page_of_a_revoked_certificate_says_why(certificate: Certificate, candidate: User, staff: User) -> None:
    certificates.revoke(certificate.pk, reason="The video was not theirs.", by=staff, at=DUE)
    response = ask("/certificates/", candidate)
    assert "revoked on 31 October 2027 . Reason: The video was not theirs." in words(response)
    assert "Who sees what" not in words(response)


def test_page_after_a_change_of_name_shows_both(certificate: Certificate, candidate: User, staff: User) -> None:
    new = certificates.reissue(certificate.pk, name="Ada Adebayo", reason="Why.", by=staff, at=LATER)
    response = ask("/certificates/", candidate)
    assert "Issued to Ada Adebayo" in words(response)
    assert "issued to Ada Abara on 31 October 2027 : replaced on 10 November 2027" in words(response)
    assert f"/certificates/{new.code}/certificate.pdf" in links(response)
    assert "/certificates/K7PQM3XZ/certificate.pdf" not in links(response)


def test_page_is_ones_own(certificate: Certificate, stranger: User, staff: User) -> None:
    for user in (stranger, staff):
        assert "No certificate yet" in words(ask("/certificates/", user))


@pytest.mark.parametrize("file", ["certificate.pdf", "badge.jwt"])
def test_files_of_somebody_else_are_404(
    certificate: Certificate, candidate: User, stranger: User, staff: User, badge_key: object, file: str
) -> None:
    asked = [ask(f"/certificates/k7pq-m3xz/{file}", user).status_code for user in (candidate, stranger, staff, None)]
    assert asked == [200, 404, 200, 302]


@pytest.mark.parametrize("file", ["certificate.pdf", "badge.jwt"])
@pytest.mark.parametrize("end", ["revoked", "replaced"])
def test_files_of_what_ended_while_the_page_was_open_are_refused(
    certificate: Certificate, candidate: User, badge_key: object, file: str, end: str
) -> None:
    assert ask("/certificates/", candidate).status_code == 200
    Certificate.objects.update(**{f"{end}_at": DUE})
    assert ask(f"/certificates/K7PQM3XZ/{file}", candidate).status_code == 409


def test_result_leads_to_the_newest_certificate(certificate: Certificate, candidate: User, staff: User) -> None:
    new = certificates.reissue(certificate.pk, name="Ada Adebayo", reason="Why.", by=staff, at=LATER)
    response = ask(f"/results/{certificate.result.cycle_id}/", candidate)
    assert {f"/certificates/{new.code}/certificate.pdf", "/certificates/"} <= set(links(response))
