"""The pages of entries: what they say in each state, what their buttons do, and how many queries they take."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from candidates.models import Registration, User
from icg_cert.lib import clock
from icg_cert.permissions import grant_roles
from portfolios import consent_ledger, submission, upload_rows, uploads
from portfolios.models import Consent, Entry, Requirement, Upload, UploadPart
from portfolios.unarrived import Unarrived
from portfolios.upload_rows import ANOTHER, DAMAGED, TOLD
from tests.factories import (
    MICROSECOND,
    at,
    make_cycle,
    make_entry,
    make_factor,
    make_programme,
    make_registration,
    make_requirement,
    make_upload,
)
from tests.portfolios import files, films
from tests.portfolios.handing_in import hand_in, hand_in_checked

CLOSES = at(2027, 6, 16)


@pytest.fixture(autouse=True)
def in_the_window(noon: datetime) -> None:
    clock.jump_to(noon)


@pytest.fixture
def ada(candidate: User) -> Client:
    client = Client()
    client.force_login(candidate)
    return client


def text(response: Any) -> str:
    return " ".join(BeautifulSoup(response.content, "html.parser").main.get_text(" ").split())


def page(client: Client, url: str) -> str:
    return text(client.get(url))


# ---- The board


def test_entry_list_without_a_registration_says_what_will_stand_there(ada: Client) -> None:
    assert "Your seven entries will stand here" in page(ada, "/entries/")


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (at(2027, 4, 1), "The window opens on 1 May 2027"),
        (at(2027, 5, 10), "The window is open until the end of 15 June 2027"),
        (at(2027, 6, 16), "Scores are released on 31 October 2027"),
        (at(2028, 1, 1), "The window opens on 1 May 2028"),
    ],
)
def test_entry_list_says_what_comes_next_and_when(ada: Client, candidate: User, when: datetime, words: str) -> None:
    for year in (2027, 2028, 2029):
        make_cycle(year)
    make_factor()
    make_registration(candidate)
    clock.jump_to(when)
    assert words in page(ada, "/entries/")


def test_entry_list_tells_the_unpaid_what_to_do(ada: Client, candidate: User) -> None:
    make_cycle(2027)
    make_registration(candidate, payment_status=Registration.Payment.UNPAID)
    assert "Your seat is not confirmed yet" in page(ada, "/entries/")


def test_entry_list_says_each_state(ada: Client, candidate: User) -> None:
    registration = make_registration(candidate)
    states = [None, "draft", "submitted", "locked", "lapsed"]
    for number, status in enumerate(states, start=1):
        make_requirement(make_factor(number))
        if status:
            make_entry(registration, make_factor(number), status=status)
    rows = BeautifulSoup(ada.get("/entries/").content, "html.parser").select(".task")
    assert [row.select_one(".state").text for row in rows] == [
        "Not started",
        "In progress",
        "Submitted",
        "Handed in",
        "Not handed in",
    ]
    assert [row.select_one("a").text.split(":")[0] for row in rows] == ["Start", "Continue", "View", "View", "View"]


# ---- Start


def test_entry_start_shows_what_is_asked_before_the_window(ada: Client, entry: Entry) -> None:
    clock.jump_to(at(2027, 4, 1))
    make_requirement(make_factor(2), title="Letter", max_pages=2)
    said = page(ada, "/entries/start/2/")
    assert "You can start this entry when the window opens" in said
    assert "One document (PDF, DOCX or ODT), up to 2 pages and 25 MB." in said
    assert "Start this entry" not in said


def test_entry_start_makes_the_entry(ada: Client, entry: Entry) -> None:
    make_factor(2)
    answer = ada.post("/entries/start/2/")
    made = Entry.objects.get(factor__number=2)
    assert answer.headers["Location"] == f"/entries/{made.pk}/"
    assert ada.get("/entries/start/2/").headers["Location"] == f"/entries/{made.pk}/"


def test_entry_start_after_closing_is_refused_in_words(ada: Client, entry: Entry) -> None:
    make_factor(2)
    clock.jump_to(CLOSES)
    answer = ada.post("/entries/start/2/")
    assert answer.status_code == 409
    assert "The time for this cycle is over" in text(answer)


# ---- One entry


def test_entry_detail_names_what_is_missing(ada: Client, entry: Entry) -> None:
    said = page(ada, f"/entries/{entry.pk}/")
    assert "Still needed Commentary: no file yet. Conversation: no file yet." in said
    assert "One video (MP4, M4V, MOV, MKV or WEBM), up to 1 minute and 4 GB." in said


def test_entry_detail_shows_each_file_with_its_state(
    ada: Client, entry: Entry, document: Requirement, video: Requirement, noon: datetime
) -> None:
    hand_in_checked(entry, document, noon, b"nonsense", "<b>My text.pdf")
    hand_in_checked(entry, video, noon)
    page = BeautifulSoup(ada.get(f"/entries/{entry.pk}/").content, "html.parser")
    rows = [row for row in page.select(".upload-row") if row.find_parent("template") is None]
    shown = [(row.select_one(".upload-name").text, row.select_one(".state").text) for row in rows]
    assert shown == [("<b>My text.pdf", "Cannot be used"), ("Film.mp4", "Received and checked")]
    assert "something else inside" in rows[0].text
    assert "0:06 minutes" in rows[1].text
    assert "Being prepared for the scorers: 0 %" in rows[1].text


def test_entry_detail_of_a_file_in_check_asks_again(
    ada: Client, entry: Entry, document: Requirement, noon: datetime
) -> None:
    upload = hand_in(entry, document, noon)
    row = BeautifulSoup(ada.get(f"/entries/{entry.pk}/").content, "html.parser").select_one("[data-upload-wait]")
    assert row is not None
    assert row["data-upload-wait"] == f"/uploads/{upload.pk}/"


def test_entry_detail_shows_staff_the_neutral_name_and_no_form(
    staff: User, entry: Entry, document: Requirement, noon: datetime
) -> None:
    upload = hand_in_checked(entry, document, noon, files.pdf(), "Ada Abara.pdf")
    client = Client()
    client.force_login(staff)
    html = client.get(f"/entries/{entry.pk}/").content.decode()
    assert upload.neutral_name in html
    assert "Ada Abara.pdf" not in html
    assert "data-upload-form" not in html


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("submitted", "You can reopen and change it until"),
        ("locked", "There is nothing more to do for this entry"),
        ("lapsed", "This entry was not complete when the window closed"),
    ],
)
def test_entry_detail_says_where_it_stands(ada: Client, candidate: User, status: str, words: str) -> None:
    entry = make_entry(make_registration(candidate), status=status)
    html = ada.get(f"/entries/{entry.pk}/")
    assert words in text(html)
    assert b"data-upload-form" not in html.content


def test_entry_detail_says_which_file_counts_when_a_newer_one_never_arrived(
    ada: Client, staff: User, entry: Entry, document: Requirement, video: Requirement, noon: datetime
) -> None:
    hand_in_checked(entry, document, noon)
    film = hand_in_checked(entry, video, noon, name="hevc.mov")
    late = uploads.Announced("big.mp4", 1000, "f" * 64)
    begun, _ = uploads.begin(entry.pk, video.pk, late, by=entry.registration.user, at=CLOSES - MICROSECOND)
    uploads.expire(begun.pk, at=CLOSES + entry.cycle.grace)
    submission.lock_and_auto_submit(entry.pk, at=CLOSES + entry.cycle.grace)
    assert "big.mp4 had not arrived in time; hevc.mov, which was here, counts." in page(ada, f"/entries/{entry.pk}/")
    client = Client()
    client.force_login(staff)
    words = f"{begun.neutral_name} had not arrived in time; {film.neutral_name}, which was here, counts."
    assert words in page(client, f"/entries/{entry.pk}/")


@pytest.mark.parametrize(
    ("here", "words"),
    [
        ([], "New.mp4 had not arrived in time, so it does not count."),
        (["A.mp4", "B.mp4"], "New.mp4 had not arrived in time; A.mp4 and B.mp4, which were here, count."),
    ],
)
def test_what_never_arrived_in_words(here: list[str], words: str) -> None:
    late = Unarrived(Upload(filename="New.mp4"), tuple(Upload(filename=name) for name in here))
    assert upload_rows.late_words(late, is_owner=True) == words


GO_ON = "To go on, choose the same file again below"
KEPT = "What has arrived is kept until 12:00 p.m. on 12 May 2027, Central Time ."
KEPT_AT_CLOSING = "What has arrived is kept until 12:30 a.m. on 16 June 2027, Central Time ."


def begin_another(entry: Entry, video: Requirement, when: datetime) -> Upload:
    """On its way, beside a good film that stands in the slot."""
    hand_in_checked(entry, video, when)
    late = uploads.Announced("big.mp4", 1000, "f" * 64)
    return uploads.begin(entry.pk, video.pk, late, by=entry.registration.user, at=when)[0]


@pytest.mark.parametrize(
    ("begun_at", "after", "kept"),
    [
        (at(2027, 5, 10, 12), timedelta(0), KEPT),
        (CLOSES - MICROSECOND, timedelta(minutes=29), KEPT_AT_CLOSING),
        (CLOSES - MICROSECOND, timedelta(minutes=30) + MICROSECOND, ""),
    ],
)
def test_unfinished_upload_goes_on_below_until_it_is_given_up(
    ada: Client, staff: User, entry: Entry, video: Requirement, begun_at: datetime, after: timedelta, kept: str
) -> None:
    """The form to choose it again is there, and open, for as long as the page says so; to the candidate alone."""
    begin_another(entry, video, begun_at)
    clock.jump_to(begun_at + after)
    response = ada.get(f"/entries/{entry.pk}/")
    fold = BeautifulSoup(response.content, "html.parser").select_one(f"#slot-{video.pk} details:has(form[enctype])")
    assert (GO_ON in text(response), kept in text(response)) == (bool(kept), True)
    assert (fold is not None and fold.has_attr("open")) is bool(kept)
    client = Client()
    client.force_login(staff)
    assert GO_ON not in page(client, f"/entries/{entry.pk}/")


def test_form_to_replace_a_file_is_folded_while_nothing_is_on_its_way(
    ada: Client, entry: Entry, video: Requirement, noon: datetime
) -> None:
    hand_in_checked(entry, video, noon)
    response = ada.get(f"/entries/{entry.pk}/")
    fold = BeautifulSoup(response.content, "html.parser").select_one(f"#slot-{video.pk} details:has(form[enctype])")
    assert fold is not None
    assert not fold.has_attr("open")


def test_upload_of_which_all_is_here_asks_for_nothing(
    ada: Client, entry: Entry, video: Requirement, noon: datetime
) -> None:
    upload = begin_another(entry, video, noon)
    UploadPart.objects.create(upload=upload, number=1, size=1000, sha256="", received_at=noon)
    said = page(ada, f"/entries/{entry.pk}/")
    assert "100 % arrived. All of it is here. The portal takes it in within a few minutes" in said
    assert GO_ON not in said


def test_entry_list_and_dashboard_in_the_grace_say_what_may_still_be_finished(
    ada: Client, entry: Entry, document: Requirement, video: Requirement
) -> None:
    hand_in_checked(entry, document, CLOSES - MICROSECOND)
    begin_another(entry, video, CLOSES - MICROSECOND)
    clock.jump_to(CLOSES + timedelta(minutes=20))
    said = page(ada, "/entries/")
    assert "What began in time may still be finished until 12:30 a.m. on 16 June 2027, Central Time" in said
    assert "Continue" in said
    for url in ("/entries/", "/dashboard/"):
        assert "Finish 1. Factor 1" in ada.get(url).content.decode()
    clock.jump_to(CLOSES + timedelta(minutes=30))
    assert "may still be finished" not in page(ada, "/entries/")


def test_entry_detail_after_closing_takes_no_file(ada: Client, entry: Entry) -> None:
    clock.jump_to(CLOSES)
    html = ada.get(f"/entries/{entry.pk}/")
    assert "Uploads that began in time may finish until 16 June 2027, 12:30 a.m." in text(html)
    assert b"data-upload-form" not in html.content


def test_entry_detail_in_the_grace_asks_for_what_can_still_be_answered(
    ada: Client, entry: Entry, document: Requirement, video: Requirement
) -> None:
    """A film that finishes after closing has no other moment for it; unanswered, the entry lapses."""
    hand_in_checked(entry, document, CLOSES - timedelta(hours=1))
    film = hand_in_checked(entry, video, CLOSES - MICROSECOND, films.without_sound(), "Film.mp4", consent=False)
    clock.jump_to(CLOSES + timedelta(minutes=20))
    response = ada.get(f"/entries/{entry.pk}/")
    assert "Still needed Conversation: confirm that everyone seen in the video agreed to it" in text(response)
    html = response.content.decode()
    assert "Name the signed releases" in html
    assert f"/uploads/{film.pk}/confirm/" in html
    assert f"/uploads/{film.pk}/remove/" not in html
    clock.jump_to(CLOSES + entry.cycle.grace)
    html = ada.get(f"/entries/{entry.pk}/").content.decode()
    assert [words in html for words in ("Still needed", "Name the signed releases", "/confirm/")] == [False] * 3


def test_agreed_film_asks_for_its_releases_alone(
    ada: Client, entry: Entry, document: Requirement, video: Requirement, noon: datetime
) -> None:
    film = hand_in_checked(entry, video, noon, consent=False)
    hand_in_checked(entry, document, noon)
    said = page(ada, f"/entries/{entry.pk}/")
    assert ("Consent missing" in said, "Consent confirmed" in said) == (True, False)
    consent_ledger.give(film, Consent.Purpose.SCORING, by=film.owner, at=noon)
    said = page(ada, f"/entries/{entry.pk}/")
    assert "Conversation Name the signed releases" in said
    assert "Still needed Conversation: name the signed releases of everyone seen in the video." in said
    assert ("Consent missing" in said, "Consent confirmed on 10 May 2027" in said) == (False, True)


def test_entry_of_another_person_does_not_exist(stranger: User, entry: Entry) -> None:
    client = Client()
    client.force_login(stranger)
    urls = [f"/entries/{entry.pk}/", f"/entries/{entry.pk}/submit/", f"/entries/{entry.pk}/reopen/"]
    assert [client.get(url).status_code for url in urls] == [404] * 3
    assert client.get(f"/receipts/{entry.receipt_code}/").status_code == 404


@pytest.mark.parametrize("factor_count", [1, 3])
def test_entry_list_takes_the_same_queries_for_any_number(
    ada: Client, candidate: User, factor_count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    registration = make_registration(candidate)
    for number in range(1, factor_count + 1):
        requirement = make_requirement(make_factor(number))
        make_upload(make_entry(registration, make_factor(number)), requirement)
    ada.get("/entries/")  # reads what is kept in memory
    with django_assert_num_queries(8):
        ada.get("/entries/")


@pytest.mark.parametrize("rows", [1, 3])
def test_entry_detail_takes_the_same_queries_for_any_number(
    ada: Client, entry: Entry, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(rows):
        make_upload(entry, make_requirement(key=f"strategy-{number}", maximum=3))
        make_upload(entry, make_requirement(key=f"strategy-{number}"), state="open")
    ada.get(f"/entries/{entry.pk}/")  # reads what is kept in memory
    with django_assert_num_queries(8):
        ada.get(f"/entries/{entry.pk}/")


# ---- Submit, receipt, reopen


@pytest.fixture
def complete(entry: Entry, document: Requirement, video: Requirement, noon: datetime) -> Entry:
    hand_in_checked(entry, document, noon)
    hand_in_checked(entry, video, noon)
    return entry


def test_entry_submit_asks_first_and_leads_to_the_receipt(ada: Client, complete: Entry) -> None:
    assert "My commentary.docx" in page(ada, f"/entries/{complete.pk}/submit/")
    answers = [ada.post(f"/entries/{complete.pk}/submit/") for _ in range(2)]
    assert [answer.headers["Location"] for answer in answers] == [f"/receipts/{complete.receipt_code}/"] * 2
    complete.refresh_from_db()
    said = page(ada, f"/receipts/{complete.receipt_code}/")
    assert complete.manifest_sha256 in said
    assert all(upload.tree_sha256 in said for upload in Upload.objects.all())


NAMED = "This document names you: “Ada Abara” in paragraph 1."


@pytest.fixture
def named(entry: Entry, document: Requirement, video: Requirement, noon: datetime) -> Entry:
    hand_in_checked(entry, document, noon, files.word("By Ada Abara."))
    hand_in_checked(entry, video, noon)
    return entry


def test_remarks_are_told_on_the_entry_and_before_submitting_and_keep_nobody(ada: Client, named: Entry) -> None:
    assert NAMED in page(ada, f"/entries/{named.pk}/")
    asked = page(ada, f"/entries/{named.pk}/submit/")
    assert f"Look at this first My commentary.docx : {NAMED}" in asked
    assert "Submit this entry?" in asked
    ada.post(f"/entries/{named.pk}/submit/")
    named.refresh_from_db()
    assert named.status == "submitted"


def test_remarks_are_for_the_candidate_alone(named: Entry, staff: User) -> None:
    client = Client()
    client.force_login(staff)
    assert "names you" not in page(client, f"/entries/{named.pk}/")


def test_damaged_film_is_told_with_what_to_do_while_it_can_be_done(
    ada: Client, entry: Entry, document: Requirement, video: Requirement, staff: User, noon: datetime
) -> None:
    hand_in_checked(entry, document, noon)
    film = hand_in_checked(entry, video, noon)
    addresses = [f"/entries/{entry.pk}/", f"/media/{film.pk}/", f"/entries/{entry.pk}/submit/"]
    assert [DAMAGED in page(ada, address) for address in addresses] == [False] * 3
    Upload.objects.filter(pk=film.pk).update(is_damaged=True)
    assert [f"{DAMAGED} {ANOTHER}" in page(ada, address) for address in addresses] == [True] * 3
    submission.submit(entry.pk, by=entry.registration.user, at=noon)
    for when in (noon, CLOSES + timedelta(days=1)):
        clock.jump_to(when)
        assert [f"{DAMAGED} {TOLD}" in page(ada, address) for address in addresses[:2]] == [True] * 2
        assert [ANOTHER in page(ada, address) for address in addresses[:2]] == [False] * 2
    client = Client()
    client.force_login(staff)
    assert f"{DAMAGED} {TOLD}" in page(client, addresses[1])


def test_entry_without_remarks_has_nothing_to_look_at(ada: Client, complete: Entry) -> None:
    assert "Look at this first" not in page(ada, f"/entries/{complete.pk}/submit/")


def test_entry_submit_with_a_missing_requirement_names_and_links_it(
    ada: Client, entry: Entry, document: Requirement, video: Requirement
) -> None:
    answer = ada.post(f"/entries/{entry.pk}/submit/", follow=True)
    summary = BeautifulSoup(answer.content, "html.parser").select_one("[data-error-summary]")
    assert summary is not None
    assert [(a.text, a["href"]) for a in summary.select("a")] == [
        ("Commentary: no file yet.", f"/entries/{entry.pk}/#slot-{document.pk}"),
        ("Conversation: no file yet.", f"/entries/{entry.pk}/#slot-{video.pk}"),
    ]
    entry.refresh_from_db()
    assert entry.status == "draft"


def test_entry_submit_after_closing_is_refused_in_words(ada: Client, complete: Entry) -> None:
    clock.jump_to(CLOSES)
    answer = ada.post(f"/entries/{complete.pk}/submit/", follow=True)
    assert "The time for this cycle is over" in text(answer)


def test_entry_reopen_asks_first_and_invalidates_the_receipt(ada: Client, complete: Entry) -> None:
    ada.post(f"/entries/{complete.pk}/submit/")
    assert "Reopen this entry?" in page(ada, f"/entries/{complete.pk}/reopen/")
    answer = ada.post(f"/entries/{complete.pk}/reopen/", follow=True)
    assert "This entry is a draft again" in text(answer)
    assert "This entry is not submitted" in page(ada, f"/receipts/{complete.receipt_code}/")


def test_receipt_tells_the_seals_of_what_was_reopened_since(ada: Client, complete: Entry) -> None:
    seals = []
    for hour in (13, 14, 15):
        clock.jump_to(at(2027, 5, 10, hour))
        ada.post(f"/entries/{complete.pk}/submit/")
        seals.append(Entry.objects.get().manifest_sha256)
        said = page(ada, f"/receipts/{complete.receipt_code}/")
        assert [seal in said for seal in seals] == [True] * len(seals)
        assert ("reopened since" in said) is (hour > 13)
        ada.post(f"/entries/{complete.pk}/reopen/")
    said = page(ada, f"/receipts/{complete.receipt_code}/").partition("Submitted before, and reopened since")[2]
    assert len(set(seals)) == 3
    assert [said.index(seal) for seal in seals] == sorted((said.index(seal) for seal in seals), reverse=True)
    assert "10 May 2027, 1:00 p.m. Central Time" in said


@pytest.mark.parametrize("path", ["/receipts/%00/", "/receipts/BCD%0023456/"])
def test_receipt_of_what_is_no_code_is_not_found(ada: Client, path: str) -> None:
    assert ada.get(path).status_code == 404


def test_receipt_shows_staff_no_name_that_the_candidate_gave(staff: User, complete: Entry, noon: datetime) -> None:
    submission.submit(complete.pk, by=complete.registration.user, at=noon)
    client = Client()
    client.force_login(staff)
    said = page(client, f"/receipts/{complete.receipt_code}/")
    assert "My commentary.docx" not in said
    assert "commentary-" in said


# ---- Admin


@pytest.fixture
def desk(staff: User) -> Client:
    make_programme()
    grant_roles()
    client = Client()
    client.force_login(staff)
    return client


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(("model", "queries"), [("entry", 8), ("upload", 8)])
def test_admin_lists_take_the_same_queries_for_any_number(
    desk: Client, rows: int, model: str, queries: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(rows):
        make_upload(make_entry(make_registration(), make_factor(number + 1)))
    desk.get(f"/admin/portfolios/{model}/")
    with django_assert_num_queries(queries):
        desk.get(f"/admin/portfolios/{model}/")


def test_admin_of_an_entry_links_its_files_and_the_extension(
    desk: Client, entry: Entry, document: Requirement, noon: datetime
) -> None:
    upload = hand_in(entry, document, noon, name="Ada Abara.docx")
    html = desk.get(f"/admin/portfolios/entry/{entry.pk}/change/").content.decode()
    assert f"/media/{upload.pk}/document/" in html
    assert f"/admin/candidates/registration/decide/extend/?ids={entry.registration_id}" in html
    assert "Ada Abara" not in html
    html = desk.get(f"/admin/portfolios/upload/{upload.pk}/change/").content.decode()
    assert upload.neutral_name in html
    assert "Ada Abara" not in html


def test_admin_changes_nothing(desk: Client, entry: Entry) -> None:
    for url in ("add/", f"{entry.pk}/delete/"):
        assert desk.get(f"/admin/portfolios/entry/{url}").status_code == 403
    assert desk.post(f"/admin/portfolios/entry/{entry.pk}/change/", {"status": "locked"}).status_code == 403


@pytest.mark.parametrize("asked", ["abc", "%00", "", "id"])
def test_admin_search_takes_any_text(desk: Client, entry: Entry, document: Requirement, asked: str) -> None:
    upload = make_upload(entry, document)
    assert [desk.get(f"/admin/portfolios/{m}/", {"q": asked}).status_code for m in ("entry", "upload")] == [200, 200]
    assert str(upload.pk) in desk.get("/admin/portfolios/upload/", {"q": str(upload.pk)}).content.decode()
