from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from candidates.models import EvidenceRequest, Registration, User
from icg_cert.lib import clock
from icg_cert.lib.kept import KEPT_FOR
from tests.candidates.test_forms import TYPED
from tests.factories import (
    at,
    make_cohort,
    make_cycle,
    make_evidence_request,
    make_programme,
    make_registration,
    make_text,
)

REGISTER = "/register/"
NOON = at(2026, 11, 15, 12)


@pytest.fixture(autouse=True)
def world(db: None) -> None:
    """Mid-November 2026: cohort 2026 is registering."""
    make_programme()
    make_cohort(2026)
    make_text()
    for year in (2027, 2028, 2029):
        make_cycle(year)
    clock.jump_to(NOON)


@pytest.fixture
def ada(client: Client, candidate: User) -> Client:
    client.force_login(candidate)
    return client


def text(response: Any) -> str:
    return BeautifulSoup(response.content, "html.parser").get_text(" ", strip=True)


def typed(response: Any) -> dict[str, str]:
    """What stands in the boxes of the page's form."""
    page = BeautifulSoup(response.content, "html.parser")
    boxes = page.select(
        "main form input:not([type=hidden], [type=submit], [type=file], [type=checkbox]), main form textarea"
    )
    values = {str(box["name"]): str(box.get("value") or box.text) for box in boxes}
    ticked = {str(box["name"]): "on" for box in page.select("main form input[type=checkbox][checked]")}
    chosen = {str(box.find_parent("select")["name"]): str(box["value"]) for box in page.select("main option[selected]")}  # type: ignore[index]
    return {**values, **ticked, **chosen}


def test_register_before_opening_says_when_it_opens(client: Client) -> None:
    clock.jump_to(at(2026, 10, 31, 23, 59))
    response = client.get(REGISTER)
    assert response.status_code == 200
    assert "The next registration opens on 1 November 2026, 12:00 a.m. Central Time" in text(response)


def test_register_after_closing_says_when_the_next_opens(client: Client) -> None:
    clock.jump_to(at(2027, 2, 1, 0, 1))
    page = text(client.get(REGISTER))
    assert "The next registration opens on 1 November 2027" in page
    assert "Last day of registration for cohort 10: 31 January 2027, until midnight Central Time" in page


def test_register_signed_out_leads_to_an_account_and_back(client: Client) -> None:
    page = BeautifulSoup(client.get(REGISTER).content, "html.parser")
    links = [str(link["href"]) for link in page.select("main .actions a")]
    assert links == ["/accounts/signup/?next=/register/", "/accounts/login/?next=/register/"]


def test_register_post_registers_and_leads_to_the_registration(ada: Client, candidate: User) -> None:
    response = ada.post(REGISTER, TYPED, follow=True)
    mine = Registration.objects.get(user=candidate)
    assert response.redirect_chain == [(f"/registrations/{mine.pk}/", 302)]
    assert "You are registered. We have sent you a confirmation by e-mail." in text(response)
    candidate.refresh_from_db()
    assert candidate.time_zone == "America/Denver"


def test_register_post_twice_leads_to_the_same_registration(ada: Client) -> None:
    first, second = (ada.post(REGISTER, TYPED).headers["Location"] for _ in range(2))
    assert first == second == ada.get(REGISTER).headers["Location"]
    assert Registration.objects.count() == 1


@pytest.mark.parametrize("status", ["refused", "withdrawn", "lapsed"])
def test_register_once_per_cohort_even_when_it_has_ended(ada: Client, candidate: User, status: str) -> None:
    mine = make_registration(candidate, status=status)
    assert ada.post(REGISTER, TYPED).headers["Location"] == f"/registrations/{mine.pk}/"
    assert Registration.objects.count() == 1


def test_register_between_windows_shows_the_registration_that_stands(ada: Client, candidate: User) -> None:
    mine = make_registration(candidate)
    clock.jump_to(at(2027, 5, 10))
    assert ada.get(REGISTER).headers["Location"] == f"/registrations/{mine.pk}/"


def test_register_after_the_end_says_when_the_next_opens(ada: Client, candidate: User) -> None:
    make_registration(candidate, status="withdrawn")
    clock.jump_to(at(2027, 5, 10))
    assert ada.get(REGISTER).status_code == 200


def test_register_with_errors_keeps_all_that_was_typed(ada: Client, candidate: User) -> None:
    sent = {**TYPED, "hours_coaching": "27,9", "hours_testing": "two", "signature": "Ada", "school": "Lakeside"}
    response = ada.post(REGISTER, sent)
    assert (response.status_code, Registration.objects.count()) == (200, 0)
    assert typed(response) == {name: value for name, value in sent.items() if name != "attestation_version"}
    candidate.refresh_from_db()
    assert candidate.time_zone == ""


def test_register_with_errors_shows_the_share_and_names_each_requirement(ada: Client) -> None:
    page = text(ada.post(REGISTER, {**TYPED, "hours_coaching": "20", "is_full_time": ""}))
    assert "Coaching is 62.5 % of 32 hours." in page
    assert "At least 70 % of your work time must be coaching; by these hours it is 62.5 %." in page
    assert "Of 32 hours a week, 22.4 or more would have to be coaching." in page
    assert "Certification is for people employed full-time as an instructional coach." in page


def test_register_posted_after_closing_is_not_registered(ada: Client) -> None:
    clock.jump_to(at(2027, 2, 1, 0, 1))
    response = ada.post(REGISTER, TYPED)
    assert (response.status_code, Registration.objects.count()) == (409, 0)
    assert "You were not registered" in text(response)


def test_register_when_the_attestation_changed_asks_to_sign_the_new_one(ada: Client) -> None:
    make_text(version=2, body="A stricter text.")
    response = ada.post(REGISTER, TYPED)
    assert "The attestation has changed since you opened this page. Read it, then sign again." in text(response)
    assert "A stricter text." in text(response)
    page = BeautifulSoup(response.content, "html.parser")
    assert [box["value"] for box in page.select("[name=attestation_version]")] == ["2"]
    ada.post(REGISTER, {**TYPED, "attestation_version": "2"})
    assert Registration.objects.get().attestation.version == 2


# An expired session mid-form


def sign_in(client: Client, person: User) -> None:
    """As the sign-in page does it: in the session the browser has."""
    person.set_password("a long enough password")
    person.save()
    person.emailaddress_set.create(email=person.email, verified=True, primary=True)
    response = client.post(
        "/accounts/login/?next=/register/", {"login": person.email, "password": "a long enough password"}
    )
    assert response.headers["Location"] == "/register/"


def test_register_signed_out_mid_form_keeps_what_was_typed(client: Client, candidate: User) -> None:
    response = client.post(REGISTER, {**TYPED, "hours_testing": "two"}, follow=True)
    assert response.redirect_chain == [("/accounts/login/?next=/register/", 302)]
    assert "Nothing is lost" in text(response)
    sign_in(client, candidate)
    restored = client.get(REGISTER)
    assert "What you typed is here again" in text(restored)
    expected = {name: value for name, value in TYPED.items() if name != "attestation_version"}
    assert typed(restored) == {**expected, "hours_testing": "two"}
    assert typed(client.get(REGISTER)).get("employer") == ""
    client.post(REGISTER, TYPED)
    assert Registration.objects.get().employer == "Lakeside School District"


def test_register_forgets_what_was_typed_long_ago(client: Client, candidate: User) -> None:
    client.post(REGISTER, TYPED)
    client.force_login(candidate)
    clock.jump_to(NOON + KEPT_FOR + timedelta(minutes=1))
    assert typed(client.get(REGISTER))["employer"] == ""


def test_evidence_answer_signed_out_keeps_the_words(client: Client, candidate: User) -> None:
    asked = make_evidence_request(make_registration(candidate))
    url = reverse("candidates:evidence-answer", args=[asked.pk])
    response = client.post(url, {"answer": "Here is\nmy letter."})
    assert response.headers["Location"] == f"/accounts/login/?next={url}"
    client.force_login(candidate)
    restored = client.get(url)
    assert typed(restored)["answer"].strip().replace("\r", "") == "Here is\nmy letter."
    assert "choose it once more" in text(restored)


# The registration's own pages


@pytest.mark.parametrize(
    ("status", "payment"),
    [(status, "paid") for status in Registration.Status.values]
    + [("registered", payment) for payment in Registration.Payment.values if payment != "paid"],
)
def test_registration_detail_speaks_of_every_status(ada: Client, candidate: User, status: str, payment: str) -> None:
    mine = make_registration(candidate, status=status, payment_status=payment, status_reason="Part-time")
    page = text(ada.get(f"/registrations/{mine.pk}/"))
    words = {
        "registered": "You are registered by what you stated.",
        "evidence_requested": "We need your answer",
        "evidence_received": "You need do nothing.",
        "approved": "We have checked your eligibility.",
        "refused": "Part-time",
        "withdrawn": "You can register again from 1 November 2027",
        "lapsed": "Nothing is owed.",
    }
    assert words[status] in page
    assert "80.0 % of 40 hours" in page
    assert ("What comes next You hand in entries from 1 May to 15 June 2027" in page) == mine.is_taking_part
    to_pay = mine.is_standing and payment in ("unpaid", "refunded", "partly_paid")
    assert ("Pay by the end of 31 January 2027" in page) == to_pay


@pytest.mark.parametrize("questions", [1, 3])
def test_registration_detail_queries(
    ada: Client,
    candidate: User,
    questions: int,
    settings: Settings,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """The page's own: what the roof adds to every page (next step, rehearsal bar) is counted with the roof."""
    whole = settings.TEMPLATES[0]
    settings.TEMPLATES = [{**whole, "OPTIONS": {"context_processors": whole["OPTIONS"]["context_processors"][:3]}}]
    mine = make_registration(candidate)
    for _ in range(questions):
        make_evidence_request(mine, pdf=b"%PDF-1.7")
    ada.get(f"/registrations/{mine.pk}/")
    with django_assert_num_queries(6):
        ada.get(f"/registrations/{mine.pk}/")


def test_registration_withdraw_asks_first(ada: Client, candidate: User) -> None:
    mine = make_registration(candidate)
    url = f"/registrations/{mine.pk}/withdraw/"
    page = text(ada.get(url))
    assert "A fee that is paid is not refunded." in page
    assert "This cannot be undone." in page
    mine.refresh_from_db()
    assert mine.status == "registered"
    assert "Your registration is withdrawn." in text(ada.post(url, follow=True))
    assert "there is nothing to withdraw" in text(ada.get(url))


def test_registration_withdraw_of_what_has_ended_otherwise_says_so(ada: Client, candidate: User) -> None:
    mine = make_registration(candidate, status="lapsed")
    assert "Nothing was changed." in text(ada.post(f"/registrations/{mine.pk}/withdraw/", follow=True))


def test_evidence_answer_with_a_pdf_and_its_download(ada: Client, candidate: User) -> None:
    asked = make_evidence_request(make_registration(candidate))
    pdf = SimpleUploadedFile("Ada Abara's letter.pdf", b"%PDF-1.7\n%%EOF")
    response = ada.post(f"/evidence/{asked.pk}/", {"answer": "", "document": pdf}, follow=True)
    assert response.redirect_chain == [(f"/registrations/{asked.registration_id}/", 302)]
    download = ada.get(f"/evidence/{asked.pk}/document/")
    assert b"".join(download) == b"%PDF-1.7\n%%EOF"
    headers = ["Content-Type", "Content-Disposition", "X-Content-Type-Options"]
    assert [download.headers[name] for name in headers] == [
        "application/pdf",
        f'attachment; filename="evidence-{asked.pk}.pdf"',
        "nosniff",
    ]
    assert "no-store" in download.headers["Cache-Control"]


def test_evidence_answer_that_is_no_pdf_keeps_the_words(ada: Client, candidate: User) -> None:
    asked = make_evidence_request(make_registration(candidate))
    response = ada.post(
        f"/evidence/{asked.pk}/", {"answer": "My letter", "document": SimpleUploadedFile("letter.pdf", b"PK")}
    )
    assert "This file is not a PDF." in text(response)
    assert typed(response)["answer"].strip() == "My letter"
    assert EvidenceRequest.objects.get().answered_at is None


def test_evidence_answer_without_anything_says_what_is_missing(ada: Client, candidate: User) -> None:
    asked = make_evidence_request(make_registration(candidate))
    assert "Attach a PDF, write an answer, or do both." in text(ada.post(f"/evidence/{asked.pk}/", {}))


def test_evidence_answer_after_it_was_given_leads_to_the_registration(ada: Client, candidate: User) -> None:
    asked = make_evidence_request(make_registration(candidate), pdf=b"%PDF-1.7")
    assert ada.get(f"/evidence/{asked.pk}/").headers["Location"] == f"/registrations/{asked.registration_id}/"


def test_evidence_document_that_is_not_there(ada: Client, candidate: User) -> None:
    asked = make_evidence_request(make_registration(candidate))
    assert ada.get(f"/evidence/{asked.pk}/document/").status_code == 404


def test_profile_change(ada: Client, candidate: User) -> None:
    ada.post("/profile/", {"name": "Ada Abara-Lund", "time_zone": "Europe/Berlin"})
    candidate.refresh_from_db()
    assert (candidate.name, candidate.time_zone) == ("Ada Abara-Lund", "Europe/Berlin")
    response = ada.post("/profile/", {"name": "", "time_zone": "Europe/Berlin"})
    assert "Please fill this in." in text(response)


def test_signup_asks_for_name_and_time_zone(client: Client) -> None:
    asked = {
        "email": "new@example.org",
        "password1": "a long enough password",
        "name": "Nia New",
        "time_zone": "America/Denver",
    }
    assert client.post("/accounts/signup/?next=/register/", asked).status_code == 302
    made = User.objects.get(email="new@example.org")
    assert (made.name, made.time_zone) == ("Nia New", "America/Denver")
