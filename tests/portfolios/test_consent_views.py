"""The pages on consent: for the candidate, and the admin's for staff."""

from datetime import datetime
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse

from candidates.models import PolicyText, User
from icg_cert.lib import clock
from icg_cert.mail.models import Message
from icg_cert.permissions import grant_roles
from portfolios import consents, purging, retention, submission
from portfolios.models import Consent, Entry, Hold, Requirement, Upload
from tests.factories import at, make_cycle, make_programme, make_text, make_upload
from tests.portfolios.handing_in import hand_in_checked

RELEASES = "Teacher release, 3 May\nClass release list"


@pytest.fixture(autouse=True)
def in_the_window(noon: datetime) -> None:
    clock.jump_to(noon)


@pytest.fixture
def film(entry: Entry, video: Requirement, noon: datetime) -> Upload:
    return hand_in_checked(entry, video, noon, consent=False)


@pytest.fixture
def ada(entry: Entry) -> Client:
    client = Client()
    client.force_login(entry.registration.user)
    return client


@pytest.fixture
def desk(staff: User) -> Client:
    make_programme()
    grant_roles()
    client = Client()
    client.force_login(staff)
    return client


def url(name: str, *args: Any) -> str:
    return reverse(f"portfolios:{name}", args=args)


def said(answer: Any) -> str:
    return " ".join(BeautifulSoup(answer.content, "html.parser").get_text(" ").split())


def test_entry_leads_to_the_page_that_names_releases(ada: Client, entry: Entry, film: Upload) -> None:
    assert "Name the signed releases" in said(ada.get(url("entry-detail", entry.pk)))
    saved = ada.post(url("upload-consent", film.pk), {"agreed": "on", "releases": RELEASES}, follow=True)
    assert "your confirmation is noted" in said(saved)
    assert "Name the signed releases" not in said(saved)
    assert Consent.objects.get().releases == RELEASES
    page = said(ada.get(url("upload-consent", film.pk)))
    assert "Class release list" in page
    assert "What is on record" in page


def test_consent_tick_of_the_upload_stands_and_training_is_never_ticked(
    ada: Client, film: Upload, noon: datetime
) -> None:
    make_text(PolicyText.Kind.TRAINING, body="It may be shown to people who learn to score.")
    assert ticks(ada, film) == {"agreed": False, "training": False}
    consents.confirm(film.pk, releases=RELEASES.splitlines(), by=film.owner, at=noon)
    assert ticks(ada, film) == {"agreed": True, "training": False}


def ticks(client: Client, film: Upload) -> dict[str, bool]:
    html = BeautifulSoup(client.get(url("upload-consent", film.pk)).content, "html.parser")
    return {box["name"]: box.has_attr("checked") for box in html.select("input[type=checkbox]")}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"releases": RELEASES}, "Tick this if it is so."),
        ({"agreed": "on", "releases": " \n "}, "Name at least one signed release"),
        ({"agreed": "on"}, "Name at least one signed release"),
        ({}, "Tick this if it is so."),
    ],
)
def test_consent_that_lacks_something_says_what(ada: Client, film: Upload, data: dict[str, str], words: str) -> None:
    answer = ada.post(url("upload-consent", film.pk), data)
    assert (answer.status_code, words in said(answer)) == (200, True)
    assert not Consent.objects.exists()


def test_consent_after_the_grace_says_that_it_is_over(ada: Client, film: Upload) -> None:
    clock.jump_to(at(2027, 6, 16, 1))
    answer = ada.post(url("upload-consent", film.pk), {"agreed": "on", "releases": RELEASES})
    assert "The time for this cycle is over" in said(answer)


def test_consent_of_a_submitted_entry_is_read_and_not_asked(
    ada: Client, entry: Entry, document: Requirement, film: Upload, noon: datetime
) -> None:
    hand_in(entry, document, film, noon, "submitted")
    page = ada.get(url("upload-consent", film.pk))
    assert "What you stated stands as it is" in said(page)
    assert b"<textarea" not in page.content
    make_text(PolicyText.Kind.TRAINING)
    assert ticks(ada, film) == {"agreed": True, "training": False}


def test_consent_to_training_is_optional_and_can_be_taken_back(ada: Client, film: Upload) -> None:
    make_text(PolicyText.Kind.TRAINING)
    data = {"agreed": "on", "releases": RELEASES}
    ada.post(url("upload-consent", film.pk), data)
    assert not consents.is_for_training(film)
    ada.post(url("upload-consent", film.pk), {**data, "training": "on"})
    assert consents.is_for_training(film)
    asked = ada.get(url("upload-withdraw", film.pk, "training"))
    assert "Nothing is hidden" in said(asked)
    answer = ada.post(url("upload-withdraw", film.pk, "training"), follow=True)
    assert "It is used for scoring alone." in said(answer)
    assert not consents.is_for_training(film)


def test_withdrawing_for_no_known_purpose_is_no_page(ada: Client, film: Upload) -> None:
    assert ada.get(url("upload-withdraw", film.pk, "nothing")).status_code == 404


@pytest.mark.parametrize(
    ("status", "when", "words"),
    [
        ("draft", at(2027, 5, 10, 12), "Its place in your entry is open again"),
        ("submitted", at(2027, 5, 10, 12), "It becomes a draft again"),
        ("submitted", at(2027, 6, 16), "Your entry stands as it was handed in"),
        ("locked", at(2027, 7, 1), "Your entry stands as it was handed in"),
        ("lapsed", at(2027, 7, 1), "Nothing else changes."),
    ],
)
def test_withdraw_says_what_will_happen_and_does_it(
    ada: Client,
    entry: Entry,
    document: Requirement,
    film: Upload,
    noon: datetime,
    status: str,
    when: datetime,
    words: str,
) -> None:
    hand_in(entry, document, film, noon, status)
    clock.jump_to(when)
    assert words in said(ada.get(url("upload-withdraw", film.pk, "scoring")))
    answer = ada.post(url("upload-withdraw", film.pk, "scoring"), {"reason": "A parent asked."}, follow=True)
    assert "Nobody can see it any more." in said(answer)
    film.refresh_from_db()
    assert film.state == "withdrawn"
    assert Consent.objects.filter(act="withdrawn").values_list("reason", flat=True).get() == "A parent asked."


def hand_in(entry: Entry, document: Requirement, film: Upload, noon: datetime, status: str) -> None:
    hand_in_checked(entry, document, noon)
    if status in ("submitted", "locked"):
        consents.confirm(film.pk, releases=["Teacher release"], by=film.owner, at=noon)
        submission.submit(entry.pk, by=film.owner, at=noon)
    if status in ("locked", "lapsed"):
        submission.lock_and_auto_submit(entry.pk, at=at(2027, 6, 17))


def test_entry_that_lost_a_film_after_closing_says_so(
    ada: Client, entry: Entry, document: Requirement, film: Upload, noon: datetime
) -> None:
    hand_in(entry, document, film, noon, "locked")
    consents.withdraw(film.pk, by=film.owner, at=at(2027, 7, 1))
    page = said(ada.get(url("entry-detail", entry.pk)))
    assert "Consent for “Conversation” was withdrawn" in page


def test_withdrawn_film_has_a_page_and_nothing_to_confirm(ada: Client, film: Upload, noon: datetime) -> None:
    consents.withdraw(film.pk, by=film.owner, at=noon)
    page = said(ada.get(url("upload-consent", film.pk)))
    assert "no longer part of your entry" in page
    assert "Withdraw this video" not in page


# ---- How long files are kept


def test_entry_says_who_sees_its_files_and_until_when(ada: Client, entry: Entry) -> None:
    make_cycle(2029)
    page = said(ada.get(url("entry-detail", entry.pk)))
    assert "Only you, the scorers of this entry and staff can see these files." in page
    assert (
        "365 days after your final notice, on 31 October 2030 ; what you replace or remove goes on 16 July 2027" in page
    )


def test_policies_say_the_numbers_of_the_settings(client: Client, settings: Any, db: None) -> None:
    settings.MEDIA_RETENTION_DAYS, settings.MEDIA_KEEP_REPLACED_DAYS = 100, 7
    page = said(client.get(reverse("policies")))
    assert "deleted 100 days after your final notice" in page
    assert "deleted 7 days after the window closes" in page


def test_pages_say_that_a_file_was_deleted(
    ada: Client, entry: Entry, document: Requirement, film: Upload, noon: datetime
) -> None:
    hand_in(entry, document, film, noon, "locked")
    make_cycle(2029)
    clock.jump_to(at(2031, 1, 1, 12))
    purging.run(is_dry=False, at=clock.now())
    page = ada.get(url("entry-detail", entry.pk))
    assert said(page).count("This file was deleted on 1 January 2031, as our rules say.") == 2
    assert b"/media/" not in page.content
    assert said(ada.get(url("receipt", entry.receipt_code))).count("Deleted on 1 January 2031") == 2


# ---- Staff


def test_staff_withdraw_with_a_reason(desk: Client, film: Upload) -> None:
    page = f"/admin/portfolios/upload/{film.pk}/withdraw/scoring/"
    assert page in desk.get(f"/admin/portfolios/upload/{film.pk}/change/").content.decode()
    assert "The candidate is told" in said(desk.get(page))
    assert desk.post(page, {"reason": ""}).status_code == 200
    assert not Consent.objects.exists()
    answer = desk.post(page, {"reason": "A parent wrote to us."}, follow=True)
    assert "done, and written down" in said(answer)
    assert "A parent wrote to us." in said(answer)
    assert "there was nothing to do" in said(desk.post(page, {"reason": "Again."}, follow=True))
    film.refresh_from_db()
    assert (film.state, Message.objects.get().event) == ("withdrawn", "consent_withdrawn")


def test_staff_read_the_names_of_releases(desk: Client, film: Upload, noon: datetime) -> None:
    consents.confirm(film.pk, releases=RELEASES.splitlines(), by=film.owner, at=noon)
    assert "Class release list" in said(desk.get(f"/admin/portfolios/upload/{film.pk}/change/"))
    line = Consent.objects.get()
    assert "Class release list" in said(desk.get(f"/admin/portfolios/consent/{line.pk}/change/"))


@pytest.mark.parametrize("whole", [False, True])
def test_staff_hold_files_and_let_them_go(desk: Client, entry: Entry, staff: User, whole: bool) -> None:
    upload = make_upload(entry, state="withdrawn")
    page = f"/admin/portfolios/entry/{entry.pk}/hold/"
    assert page in desk.get(f"/admin/portfolios/entry/{entry.pk}/change/").content.decode()
    desk.post(page, {"reason": "An appeal.", **({"whole": "on"} if whole else {})})
    hold = Hold.objects.get()
    assert (hold.entry, hold.registration, hold.by) == (None if whole else entry, entry.registration, staff)
    assert retention.due_one(upload.pk, clock.now()).is_held
    lift = f"/admin/portfolios/hold/{hold.pk}/lift/"
    assert lift in desk.get(f"/admin/portfolios/hold/{hold.pk}/change/").content.decode()
    desk.post(lift, {"reason": "It is decided."})
    assert not retention.due_one(upload.pk, clock.now()).is_held


def test_only_staff_act_in_the_admin(desk: Client, finance: User, film: Upload, noon: datetime) -> None:
    hold = retention.hold(film.entry.registration_id, reason="An appeal.", by=None, at=noon)
    client = Client()
    client.force_login(finance)
    pages = [f"upload/{film.pk}/withdraw/scoring", f"entry/{film.entry_id}/hold", f"hold/{hold.pk}/lift"]
    answers = [client.post(f"/admin/portfolios/{page}/", {"reason": "Because."}).status_code for page in pages]
    assert answers == [403, 403, 403]
    film.refresh_from_db()
    assert (film.state, Hold.objects.standing().count()) == ("processing", 1)


def test_admin_shows_what_was_deleted(desk: Client, entry: Entry, noon: datetime) -> None:
    make_upload(entry, state="withdrawn")
    purging.run(is_dry=True, at=noon)
    assert "Dry run of 2027-05-10 17:00 UTC" in said(desk.get("/admin/portfolios/purge/"))
