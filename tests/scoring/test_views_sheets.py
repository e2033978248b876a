"""The pages of scorers: the queue, the sheet with and without a script, the board; and that nobody has a name there."""

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from candidates.models import User
from icg_cert import next_steps
from icg_cert.audit.models import Event
from icg_cert.lib import clock
from portfolios import consents, storage
from portfolios.models import Entry, Requirement, Upload
from scoring import handover, queue
from scoring.models import Assignment, FeedbackStatement, ReadingTime, Recusal, Scorer, Sheet
from tests.factories import (
    at,
    make_cycle,
    make_factor,
    make_locked,
    make_policy,
    make_reading,
    make_registration,
    make_requirement,
    make_scorer,
    make_upload,
    make_user,
)
from tests.portfolios.handing_in import prepare
from tests.threads import run_behind

NOW = at(2027, 7, 1, 9)


@pytest.fixture(autouse=True)
def scoring_time(db: None) -> None:
    make_policy()
    clock.jump_to(NOW)


@pytest.fixture
def sheet(scorer: User) -> Sheet:
    return make_reading(make_locked(), scorer)


def page_of(person: User, url: str, status: int = 200) -> BeautifulSoup:
    response = signed_in(person).get(url)
    assert response.status_code == status
    return BeautifulSoup(response.content, "html.parser")


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def typed(sheet: Sheet, *values: str, version: int = 0, **more: Any) -> dict[str, Any]:
    keys = [one.pk for one in sheet.rubric.criteria.all()]
    chosen = {f"value-{key}": value for key, value in zip(keys, values, strict=False)}
    notes = {f"evidence-{key}": "Seen at 2:10." for key in keys}
    return {"version": version, **chosen, **notes, "comment": "", **more}


def post(person: User, sheet: Sheet, data: dict[str, Any]) -> HttpResponse:
    return signed_in(person).post(reverse("scoring:sheet", args=[sheet.pk]), data)


def autosave(person: User, sheet: Sheet, data: dict[str, Any]) -> tuple[int, Any]:
    url = reverse("scoring:sheet", args=[sheet.pk])
    response = signed_in(person).post(url, data, headers={"accept": "application/json"})
    return response.status_code, response.json()


def texts(page: BeautifulSoup, selector: str) -> list[str]:
    return [" ".join(tag.get_text(" ").split()) for tag in page.select(selector)]


# ---- The queue


def test_queue_shows_what_is_open_and_what_is_final(scorer: User, other_scorer: User) -> None:
    registration = make_registration()
    make_reading(make_locked(registration, 2), scorer)
    make_reading(make_locked(registration, 1), scorer, "4.00", "4.00", "4.00")
    make_reading(make_locked(registration, 3), other_scorer)
    page = page_of(scorer, "/scoring/")
    code = registration.code
    assert texts(page, ".task-name") == [f"Candidate {code} · 2. Factor 2", f"Candidate {code} · 1. Factor 1"]
    assert texts(page, ".task .state") == ["Not begun", "Final"]
    assert "31 October 2027, 9:00 a.m. Central Time" in page.get_text()


def test_queue_leaves_out_who_withdrew(scorer: User) -> None:
    make_reading(make_locked(make_registration(status="withdrawn")), scorer)
    assert texts(page_of(scorer, "/scoring/"), ".empty h2") == ["Nothing to read now"]


def test_queue_is_kind_when_empty(scorer: User) -> None:
    page = page_of(scorer, "/scoring/")
    assert texts(page, ".empty h2") == ["Nothing to read now"]


def test_queue_puts_adjudications_first(lead: User) -> None:
    registration = make_registration()
    make_reading(make_locked(registration, 1), lead)
    make_reading(make_locked(registration, 2), lead, role="adjudication")
    assert texts(page_of(lead, "/scoring/"), ".task-sentence")[0].startswith("Adjudication: your score stands alone")


@pytest.mark.parametrize(("late", "is_marked"), [(timedelta(minutes=-1), False), (timedelta(0), True)])
@pytest.mark.parametrize("path", ["/scoring/", "/scoring/sheets/{}/", "/dashboard/", "/scoring/board/"])
def test_what_is_overdue_is_marked(
    path: str, late: timedelta, is_marked: bool, sheet: Sheet, scorer: User, lead: User
) -> None:
    clock.jump_to(sheet.assignment.entry.cycle.releases_at + late)
    page = page_of(lead if "/board" in path else scorer, path.format(sheet.pk))
    assert ("Overdue" in texts(page, "main .state")) is is_marked


@pytest.mark.parametrize("rows", [1, 3])
def test_queue_queries_do_not_grow(
    rows: int, scorer: User, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What other apps ask is counted in their tests.
    monkeypatch.setattr(next_steps, "ASKED", [lambda mine: queue.next_step(mine.user, mine.at)])
    for _ in range(rows):
        make_reading(make_locked(), scorer)
        make_reading(make_locked(), scorer, "4.00", "4.00", "4.00")
    client = signed_in(scorer)
    client.get("/scoring/")  # reads what is kept in memory
    with django_assert_num_queries(13):
        client.get("/scoring/")


def test_next_step_of_scorers_is_the_next_sheet(scorer: User, staff: User, candidate: User) -> None:
    nothing = queue.next_step(scorer, NOW)
    assert nothing is not None
    assert (nothing.kind, nothing.title) == ("wait", "Nothing waits for your reading")
    sheet = make_reading(make_locked(), scorer)
    step = queue.next_step(scorer, NOW)
    assert step is not None
    assert (step.title, step.action, step.url) == ("Read one entry", "Open this sheet", f"/scoring/sheets/{sheet.pk}/")
    assert step.deadline == sheet.assignment.entry.cycle.releases_at
    assert queue.next_step(candidate, NOW) is None


def test_next_step_of_staff_is_to_assign_once_the_window_closed(staff: User) -> None:
    cycle = make_cycle()
    assert queue.next_step(staff, NOW) is None
    make_locked()
    assert queue.next_step(staff, cycle.closes_at - timedelta(microseconds=1)) is None
    step = queue.next_step(staff, cycle.closes_at)
    assert step is not None
    assert (step.title, step.url) == ("Give the entries of 2027 to scorers", "/scoring/board/?cycle=2027")


# ---- The sheet


def test_sheet_shows_rubric_words_and_twelve_values_per_criterion(sheet: Sheet, scorer: User) -> None:
    page = page_of(scorer, f"/scoring/sheets/{sheet.pk}/")
    assert texts(page, ".rubric legend") == ["Criterion 1", "Criterion 2", "Criterion 3"]
    first = page.select_one(".rubric")
    assert first is not None
    values = ["3.75", "4.00", "4.25", "2.75", "3.00", "3.25", "1.75", "2.00", "2.25", "0.75", "1.00", "1.25"]
    assert [tag["value"] for tag in first.select("input[type=radio]")] == values
    assert texts(first, ".rubric-words strong")[0] == "4 · Clear, consistent and convincing evidence"  # type: ignore[arg-type]


def test_sheet_shows_files_under_neutral_names(sheet: Sheet, scorer: User) -> None:
    entry = sheet.assignment.entry
    document = make_upload(entry)
    video = make_upload(
        entry, make_requirement(entry.factor, "talk", kind="video"), filename="Ada at Lakeside.mp4", extension=".mp4"
    )
    make_upload(entry, state="removed")
    prepare(document, NOW, "clean")
    prepare(video, NOW, "quick")
    page = page_of(scorer, f"/scoring/sheets/{sheet.pk}/")
    assert [tag["src"] for tag in page.select("video")] == [f"/scoring/sheets/{sheet.pk}/media/{video.pk}/?as=quick"]
    assert page.select_one("video")["controls"] == ""  # type: ignore[index]
    links = page.select(".split-left .card a[target=_blank]")
    assert f"/scoring/sheets/{sheet.pk}/media/{document.pk}/" in [tag["href"] for tag in links]
    assert document.neutral_stem in page.get_text()


def test_sheet_says_what_cannot_be_seen_yet(sheet: Sheet, scorer: User) -> None:
    entry = sheet.assignment.entry
    talk = make_requirement(entry.factor, "talk", kind="video")
    make_upload(entry, talk, extension=".mp4", state="processing", percent=40)
    walk = make_requirement(entry.factor, "walk", kind="video")
    make_upload(entry, walk, extension=".mp4", state="failed", processing_tries=3)
    make_upload(entry, make_requirement(entry.factor, "letter"), state="checking")
    page = page_of(scorer, f"/scoring/sheets/{sheet.pk}/")
    assert texts(page, ".split-left .state") == ["Being prepared", "Could not be prepared", "Being prepared"]
    said = texts(page, "article p")
    assert said[1].startswith("This film is being prepared for viewing: 40 % done. It is usually ready within an hour.")
    assert said[3].startswith("This film could not be prepared for viewing. That is our fault")
    assert said[5].startswith("This document is being prepared for viewing. It is usually ready within an hour.")
    assert page.select_one("progress")["value"] == "40"  # type: ignore[index]
    assert [tag.has_attr("data-waiting") for tag in page.select("article")] == [True, False, True]
    assert page.select("video, .split-left a[target=_blank]") == []


def test_sheet_tells_of_a_damaged_film_and_shows_its_words(sheet: Sheet, video: Upload, scorer: User) -> None:
    words = {"is_damaged": True, "transcript": "Coach: <b>What</b> went well?\n\nTeacher: The start."}
    Upload.objects.filter(pk=video.pk).update(**words)
    prepare(video, NOW, "captions")
    page = page_of(scorer, f"/scoring/sheets/{sheet.pk}/")
    assert "Parts of this film may not play" in page.select_one("article .notice").text  # type: ignore[union-attr]
    assert texts(page, ".transcript p") == ["Coach: <b>What</b> went well?", "Teacher: The start."]
    track = page.select_one("track")
    assert track is not None
    assert (track["src"], track["kind"], track["srclang"]) == (
        f"/scoring/sheets/{sheet.pk}/media/{video.pk}/captions/",
        "captions",
        "en",
    )


def test_sheet_films_have_labels_where_there_are_several(sheet: Sheet, video: Upload, scorer: User) -> None:
    url = f"/scoring/sheets/{sheet.pk}/"
    assert [tag["data-label"] for tag in page_of(scorer, url).select("[data-player]")] == [""]
    second = make_upload(video.entry, make_requirement(video.entry.factor, "walk", kind="video"), extension=".mp4")
    prepare(second, NOW)
    players = page_of(scorer, url).select("[data-player]")
    assert [(tag["id"], tag["data-label"]) for tag in players] == [("film-1", "Film 1"), ("film-2", "Film 2")]
    consents.withdraw(video.pk, by=video.owner, at=NOW)
    players = page_of(scorer, url).select("[data-player]")
    assert [(tag["id"], tag["data-label"]) for tag in players] == [("film-2", "Film 2")]


# ---- Moments of films in notes


def linked(page: BeautifulSoup, selector: str) -> list[tuple[str, str]]:
    return [(tag.text, str(tag["href"])) for tag in page.select(f"{selector} a[data-second]")]


NOTE = "[0:05] <i>opens</i>, [Film 2 1:00] nobody's, [1:10] ends"


def test_sheet_moments_of_saved_notes_are_links(sheet: Sheet, video: Upload, scorer: User) -> None:
    data = typed(sheet, "3.00", "3.00", "3.00")
    key = sheet.rubric.criteria.all()[0].pk
    data[f"evidence-{key}"] = NOTE
    status, answer = autosave(scorer, sheet, data)
    name, others = f"evidence-{key}", {f"evidence-{one.pk}": "" for one in sheet.rubric.criteria.all()[1:]}
    assert status == 200
    assert {**answer["moments"], name: ""} == {name: "", **others}
    links = [("[0:05]", "#film-1"), ("[1:10]", "#film-1")]
    assert linked(BeautifulSoup(answer["moments"][name], "html.parser"), "") == links
    url = f"/scoring/sheets/{sheet.pk}/"
    assert linked(page_of(scorer, url), f"[data-moments={name}]") == links
    final = page_of(scorer, f"{url}finalise/")
    assert linked(final, "tbody td") == [("[0:05]", f"{url}?at=5#film-1"), ("[1:10]", f"{url}?at=70#film-1")]
    assert texts(final, "tbody td")[1] == "[0:05] <i>opens</i>, [Film 2 1:00] nobody's, [1:10] ends"
    assert signed_in(scorer).post(f"{url}finalise/", {"version": 1}).status_code == 302
    assert linked(page_of(scorer, url), "form[data-sheet]") == links


@pytest.mark.parametrize(("duration_ms", "count"), [(69_000, 1), (69_001, 2), (None, 2)])
def test_sheet_moments_behind_the_end_of_the_film_are_no_links(
    sheet: Sheet, video: Upload, scorer: User, duration_ms: int | None, count: int
) -> None:
    Upload.objects.filter(pk=video.pk).update(duration_ms=duration_ms)
    key = sheet.rubric.criteria.all()[0].pk
    _, answer = autosave(scorer, sheet, typed(sheet, "3.00", "3.00", "3.00") | {f"evidence-{key}": NOTE})
    assert len(linked(BeautifulSoup(answer["moments"][f"evidence-{key}"], "html.parser"), "")) == count


def test_sheet_moments_of_what_is_only_typed_are_no_links_yet(sheet: Sheet, video: Upload, scorer: User) -> None:
    data = typed(sheet, "9")
    data[f"evidence-{sheet.rubric.criteria.all()[0].pk}"] = NOTE
    response = post(scorer, sheet, data)
    assert response.status_code == 422
    assert linked(BeautifulSoup(response.content, "html.parser"), "") == []


def test_sheet_save_without_a_script(sheet: Sheet, scorer: User) -> None:
    statement = FeedbackStatement.objects.create(factor=None, position=1, text="Thank you.")
    response = post(scorer, sheet, typed(sheet, "2.75", "", "4.25", comment="Good.\r\nMore.", feedback=[statement.pk]))
    assert response.status_code == 302
    page = page_of(scorer, f"/scoring/sheets/{sheet.pk}/")
    assert [tag["value"] for tag in page.select(".rubric input[checked]")] == ["2.75", "4.25"]
    assert page.select_one("textarea[name=comment]").text.strip() == "Good.\nMore."  # type: ignore[union-attr]
    assert len(page.select("input[name=feedback][checked]")) == 1
    assert "Saved 1 July 2027, 9:00 a.m. Central Time" in " ".join(page.get_text(" ").split())


def test_sheet_value_outside_the_twelve_is_named_and_nothing_typed_is_lost(sheet: Sheet, scorer: User) -> None:
    response = post(scorer, sheet, typed(sheet, "2.50", "3.00", comment="Kept."))
    page = BeautifulSoup(response.content, "html.parser")
    assert response.status_code == 422
    assert texts(page, ".error-summary li") == ["Criterion 1: Choose one of the twelve values from 0.75 to 4.25."]
    assert [tag["value"] for tag in page.select(".rubric input[checked]")] == ["3.00"]
    assert page.select_one("textarea[name=comment]").text.strip() == "Kept."  # type: ignore[union-attr]
    assert Sheet.objects.get(pk=sheet.pk).version == 0


def test_sheet_second_tab_is_told_what_the_first_saved_and_may_decide(sheet: Sheet, scorer: User) -> None:
    post(scorer, sheet, typed(sheet, "4.00", "4.00", "4.00", comment="From the first tab."))
    late = typed(sheet, "1.00", "4.00", "4.00", comment="From the second tab.")
    response = post(scorer, sheet, late)
    page = BeautifulSoup(response.content, "html.parser")
    assert response.status_code == 409
    assert texts(page, ".notice-careful dt") == ["Criterion 1", "Comment to the candidate"]
    assert texts(page, ".notice-careful dd") == ["4.00", "From the first tab."]
    assert page.select_one("textarea[name=comment]").text.strip() == "From the second tab."  # type: ignore[union-attr]
    again = {**late, "version": page.select_one("input[name=version]")["value"]}  # type: ignore[index]
    assert post(scorer, sheet, again).status_code == 302
    assert Sheet.objects.get(pk=sheet.pk).comment == "From the second tab."


def test_sheet_autosave_answers_with_the_new_version(sheet: Sheet, scorer: User) -> None:
    status, answer = autosave(scorer, sheet, typed(sheet, "4.00"))
    assert (status, answer["version"], answer["saved_at"][:16]) == (200, 1, "2027-07-01T14:00")


def test_sheet_autosave_of_a_second_tab_gets_what_is_saved(sheet: Sheet, scorer: User) -> None:
    autosave(scorer, sheet, typed(sheet, "4.00"))
    status, answer = autosave(scorer, sheet, typed(sheet, "1.00"))
    keys = [one.pk for one in sheet.rubric.criteria.all()]
    assert (status, answer["code"]) == (409, "stale")
    assert answer["saved"] == {
        **{f"value-{key}": value for key, value in zip(keys, ["4.00", "", ""], strict=True)},
        **{f"evidence-{key}": "Seen at 2:10." for key in keys},
        "comment": "",
        "feedback": [],
        "version": 1,
    }


def test_sheet_autosave_says_what_cannot_be_saved(sheet: Sheet, scorer: User) -> None:
    key = sheet.rubric.criteria.all()[0].pk
    status, answer = autosave(scorer, sheet, typed(sheet, "5"))
    assert status == 422
    assert answer["fields"] == {f"value-{key}": ["Choose one of the twelve values from 0.75 to 4.25."]}


@pytest.mark.parametrize("name", ["sheet", "sheet-finalise", "sheet-recuse"])
def test_sheet_of_somebody_else_is_not_there(name: str, sheet: Sheet, other_scorer: User, lead: User) -> None:
    for person in (other_scorer, lead):
        assert signed_in(person).get(reverse(f"scoring:{name}", args=[sheet.pk])).status_code == 404
        assert signed_in(person).post(reverse(f"scoring:{name}", args=[sheet.pk])).status_code == 404


def test_sheet_finalise_looks_once_more_and_then_counts(sheet: Sheet, scorer: User) -> None:
    response = post(scorer, sheet, typed(sheet, "4.00", "4.00", "3.75", then="finalise"))
    assert response["Location"] == f"/scoring/sheets/{sheet.pk}/finalise/"
    page = page_of(scorer, response["Location"])
    assert texts(page, "tfoot td strong") == ["3.917"]
    done = signed_in(scorer).post(response["Location"], {"version": 1})
    assert done["Location"] == "/scoring/"
    assert Sheet.objects.get(pk=sheet.pk).status == "final"
    final = page_of(scorer, f"/scoring/sheets/{sheet.pk}/")
    assert len(final.select("fieldset.rubric[disabled]")) == 3
    assert not final.select("form[data-sheet] button")


def test_sheet_finalise_names_what_is_missing(sheet: Sheet, scorer: User) -> None:
    post(scorer, sheet, typed(sheet, "4.00"))
    url = reverse("scoring:sheet-finalise", args=[sheet.pk])
    expected = ["“Criterion 2” has no value yet.", "“Criterion 3” has no value yet."]
    assert texts(page_of(scorer, url), ".error-summary li") == expected
    response = signed_in(scorer).post(url, {"version": 1})
    assert response.status_code == 409
    assert texts(BeautifulSoup(response.content, "html.parser"), ".error-summary li") == expected


def test_sheet_finalise_of_a_version_not_seen_is_refused(sheet: Sheet, scorer: User) -> None:
    post(scorer, sheet, typed(sheet, "4.00", "4.00", "4.00"))
    url = reverse("scoring:sheet-finalise", args=[sheet.pk])
    for version in ("0", "", "x"):
        response = signed_in(scorer).post(url, {"version": version})
        assert response.status_code == 409
        assert "Look at it once more" in response.content.decode()
    assert Sheet.objects.get(pk=sheet.pk).status == "draft"


@pytest.mark.parametrize("version", ["", "x", "²", "9" * 5000])
def test_sheet_finalise_of_no_version_is_refused(sheet: Sheet, scorer: User, version: str) -> None:
    url = reverse("scoring:sheet-finalise", args=[sheet.pk])
    assert signed_in(scorer).post(url, {"version": version}).status_code == 409


def test_sheet_finalise_pressed_twice_is_harmless(sheet: Sheet, scorer: User) -> None:
    post(scorer, sheet, typed(sheet, "4.00", "4.00", "4.00"))
    url = reverse("scoring:sheet-finalise", args=[sheet.pk])
    assert [signed_in(scorer).post(url, {"version": 1}).status_code for _ in range(2)] == [302, 302]


def test_sheet_final_cannot_be_saved_over(sheet: Sheet, scorer: User) -> None:
    post(scorer, sheet, typed(sheet, "4.00", "4.00", "4.00"))
    signed_in(scorer).post(reverse("scoring:sheet-finalise", args=[sheet.pk]), {"version": 1})
    status, answer = autosave(scorer, sheet, typed(sheet, "1.00", version=1))
    assert (status, answer["code"]) == (409, "final")
    assert post(scorer, sheet, typed(sheet, "1.00", version=1)).status_code == 409


def test_sheet_recuse_hands_it_on(sheet: Sheet, scorer: User, other_scorer: User) -> None:
    url = reverse("scoring:sheet-recuse", args=[sheet.pk])
    assert "thrown away" in page_of(scorer, url).get_text()
    assert signed_in(scorer).post(url, {"reason": "A neighbour."})["Location"] == "/scoring/"
    assert Recusal.objects.get().scorer == scorer
    assert Assignment.objects.get().scorer == other_scorer


def test_sheet_says_that_a_film_was_withdrawn(sheet: Sheet, scorer: User) -> None:
    entry = sheet.assignment.entry
    film = make_upload(entry, make_requirement(entry.factor, "conversation", kind="video"), extension=".mp4")
    other = make_upload(entry, make_requirement(entry.factor, "film", kind="video"), state="withdrawn")
    Entry.objects.filter(pk=entry.pk).update(manifest={"files": [{"upload": str(film.pk)}]})
    url = reverse("scoring:sheet", args=[sheet.pk])
    assert "A video was withdrawn" not in page_of(scorer, url).get_text()
    consents.withdraw(film.pk, by=film.owner, at=NOW)
    page = page_of(scorer, url)
    assert page.get_text().count("A video was withdrawn") == 1
    assert [key for key in (film.pk, other.pk) if str(key) in str(page)] == []


@pytest.mark.parametrize("rows", [1, 3])
def test_sheet_queries_do_not_grow(rows: int, scorer: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    entry = make_locked()
    for number in range(rows):
        make_upload(entry, make_requirement(entry.factor, f"part-{number}"))
        FeedbackStatement.objects.create(factor=None, position=number, text=f"Statement {number}")
    sheet = make_reading(entry, scorer, "4.00", "4.00", "4.00")
    Sheet.objects.update(status="draft")
    client = signed_in(scorer)
    client.get(reverse("scoring:sheet", args=[sheet.pk]))  # reads what is kept in memory
    with django_assert_num_queries(14):
        client.get(reverse("scoring:sheet", args=[sheet.pk]))


# ---- The board


def test_board_counts_entries_by_stage(scorer: User, other_scorer: User, lead: User, staff: User) -> None:
    make_locked()
    make_reading(make_locked(), scorer)
    make_reading(make_locked(), scorer, "4.00", "4.00", "4.00")
    apart = make_locked()
    make_reading(apart, scorer, "1.00", "1.00", "1.00")
    make_reading(apart, other_scorer, "4.00", "4.00", "4.00", role="second")
    make_reading(apart, lead, role="adjudication")
    page = page_of(staff, "/scoring/board/")
    stages = dict(zip(texts(page, ".figures dt"), texts(page, ".figures dd"), strict=True))
    assert stages == {"Unassigned": "1", "In progress": "1", "Waiting for adjudication": "1", "Final": "1"}
    rows = [texts(row, "th, td") for row in page.select("[aria-label=Scorers] tbody tr")]  # type: ignore[arg-type]
    assert rows == [
        ["Lee Lund", "1", "0", "0", "0"],
        ["Sol Sato", "1", "0", "2", "0"],
        ["Tia Torres", "0", "0", "1", "0"],
    ]


def test_board_assign_gives_out_and_says_so(scorer: User, other_scorer: User, staff: User, lead: User) -> None:
    make_locked()
    assert texts(page_of(staff, "/scoring/board/"), "main a.primary") == ["See who would read what"]
    assert texts(page_of(lead, "/scoring/board/"), "main a.primary") == []
    said = give_out(staff)
    assert texts(said, ".notice") == ["Done. 2 readings given out. The scorers are told."]
    again = page_of(staff, "/scoring/board/2027/assign/")
    assert texts(again, ".empty h2") == ["Nothing to give out"]


def give_out(staff: User) -> BeautifulSoup:
    """By the preview, as it stands when it is pressed."""
    seen = page_of(staff, "/scoring/board/2027/assign/").select_one("[name=seen]")
    assert seen
    data = {"seen": seen["value"]}
    response = signed_in(staff).post("/scoring/board/2027/assign/", data, follow=True)
    return BeautifulSoup(response.content, "html.parser")


def test_board_assign_previews_who_would_hold_what(scorer: User, other_scorer: User, staff: User) -> None:
    ReadingTime.objects.create(factor=make_factor(1), minutes=40)
    make_reading(make_locked(), scorer)
    registration = make_registration()
    talk = make_requirement(make_factor(2), "talk", kind=Requirement.Kind.VIDEO)
    make_upload(make_locked(registration, 2), talk, duration_ms=600_001)
    page = page_of(staff, "/scoring/board/2027/assign/")
    assert texts(page, "[aria-label='How full the desks would be'] tbody tr") == [
        "Sol Sato 1 2 40 81",
        "Tia Torres 0 2 0 81",
    ]
    plan = [texts(row, "td") for row in page.select("[aria-label='Who would read what'] tbody tr")]  # type: ignore[arg-type]
    assert sorted(row[:4] for row in plan) == [
        ["1", "Second reading", "one per candidate", "40"],
        ["2", "First reading", "coverage", "41"],
        ["2", "Second reading", "one per candidate", "41"],
    ]
    assert sorted(row[4] for row in plan if row[0] == "2") == ["Sol Sato", "Tia Torres"]
    assert "no other plan spreads the minutes more evenly" in page.get_text()
    assert Assignment.objects.count() == 1


def test_board_assign_refuses_what_was_seen_before_something_changed(
    scorer: User, other_scorer: User, staff: User
) -> None:
    make_locked()
    seen = page_of(staff, "/scoring/board/2027/assign/").select("[name=seen]")[0]["value"]
    Scorer.objects.filter(user=scorer).update(district="Lakeside School District")
    for posted in ({"seen": seen}, {}):
        answer = signed_in(staff).post("/scoring/board/2027/assign/", posted, follow=True)
        assert "Something changed since you looked" in answer.content.decode()
    assert Assignment.objects.count() == 0


def test_board_assign_names_what_nobody_may_score(scorer: User, staff: User) -> None:
    entry = make_locked(make_registration(district="Elsewhere District"))
    page = page_of(staff, "/scoring/board/2027/assign/")
    why = f"Nobody may : 1 works in the candidate's district. Choose somebody for the {{}} of {entry.registration.code}"
    assert texts(page, "[aria-label='Readings that can be given to nobody'] tbody tr") == [
        f"{entry.registration.code} 1 {kind} {why.format(kind.lower())}, factor 1"
        for kind in ("First reading", "Second reading")
    ]
    assert page.select("form button.primary") == []


def test_board_says_when_no_lead_may_decide(scorer: User, other_scorer: User, staff: User) -> None:
    entry = make_locked()
    make_reading(entry, scorer, "1.00", "1.00", "1.00")
    make_reading(entry, other_scorer, "4.00", "4.00", "4.00", role="second")
    page = page_of(staff, "/scoring/board/")
    code = entry.registration.code
    assert texts(page, "[aria-label='Readings that can be given to nobody'] tbody tr") == [
        f"{code} 1 Adjudication No lead may decide: add one Choose a lead for {code}, factor 1"
    ]


@pytest.mark.parametrize(("year", "status"), [("2027", 200), ("", 200), ("²", 200), ("9" * 18, 404), ("9" * 5000, 200)])
def test_board_of_a_year_that_may_not_be_one(lead: User, year: str, status: int) -> None:
    make_cycle(2027)
    page_of(lead, f"{reverse('scoring:board')}?cycle={year}", status)


def test_board_before_closing_says_what_will_stand_there(staff: User, lead: User) -> None:
    assert texts(page_of(lead, "/scoring/board/"), ".empty h2") == ["No cycle yet"]
    make_cycle()
    assert texts(page_of(staff, "/scoring/board/"), ".empty h2") == ["Nothing is handed in yet"]
    assert page_of(staff, "/scoring/board/?cycle=1999", status=404)


@pytest.mark.parametrize(("path", "queries"), [("/scoring/board/", 27), ("/scoring/board/2027/assign/", 23)])
@pytest.mark.parametrize("rows", [1, 3])
def test_board_queries_do_not_grow(
    path: str,
    queries: int,
    rows: int,
    scorer: User,
    other_scorer: User,
    staff: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(rows):
        make_locked()
        make_reading(make_locked(), scorer, "4.00", "4.00", "4.00")
        make_scorer()
    client = signed_in(staff)
    client.get(path)  # reads what is kept in memory
    with django_assert_num_queries(queries):
        client.get(path)


# ---- Files


@pytest.fixture
def video(sheet: Sheet) -> Upload:
    entry = sheet.assignment.entry
    requirement = make_requirement(entry.factor, "talk", kind=Requirement.Kind.VIDEO)
    upload = make_upload(entry, requirement, filename="Ada at Lakeside.mov", extension=".mov", size=10)
    storage.default().put(upload.storage_key, BytesIO(b"the file as it came"), content_type="video/quicktime")
    prepare(upload, NOW, "film", b"0123456789")
    return upload


def fetch(person: User, sheet: Sheet, upload: Upload, query: str = "", **headers: str) -> Any:
    return signed_in(person).get(reverse("scoring:sheet-media", args=[sheet.pk, upload.pk]) + query, headers=headers)


def test_sheet_media_is_never_the_file_as_it_came(sheet: Sheet, video: Upload, scorer: User) -> None:
    assert b"".join(fetch(scorer, sheet, video, "?as=original")) == b"0123456789"
    video.renditions.filter(kind="film").delete()
    for query in ("", "?as=original", "?as=film", "?as=poster"):
        assert fetch(scorer, sheet, video, query).status_code == 404


def test_sheet_media_gives_the_rendition_one_began_with(sheet: Sheet, video: Upload, scorer: User) -> None:
    prepare(video, NOW, "quick", b"quick")
    prepare(video, NOW, "poster")
    asked = ["", "?as=film", "?as=quick", "?as=poster", "?as=nonsense"]
    whole = b"0123456789"
    assert [b"".join(fetch(scorer, sheet, video, query)) for query in asked] == [whole, whole, b"quick", whole, whole]


def test_sheet_media_captions_are_text_of_the_portal(sheet: Sheet, video: Upload, scorer: User) -> None:
    url = reverse("scoring:sheet-captions", args=[sheet.pk, video.pk])
    assert signed_in(scorer).get(url).status_code == 404
    prepare(video, NOW, "captions", b"WEBVTT\n")
    response = signed_in(scorer).get(url)
    wanted = ["Content-Type", "Content-Disposition", "Cache-Control", "X-Content-Type-Options"]
    assert response.content == b"WEBVTT\n"
    assert [response[name] for name in wanted] == [
        "text/vtt; charset=utf-8",
        f'inline; filename="talk-{str(video.pk)[:8]}.vtt"',
        "private, no-store",
        "nosniff",
    ]


def test_sheet_media_plays_and_seeks(sheet: Sheet, video: Upload, scorer: User) -> None:
    whole = fetch(scorer, sheet, video)
    assert (whole.status_code, b"".join(whole), whole["Content-Type"]) == (200, b"0123456789", "video/mp4")
    piece = fetch(scorer, sheet, video, range="bytes=4-6")
    assert (piece.status_code, b"".join(piece), piece["Content-Range"]) == (206, b"456", "bytes 4-6/10")
    assert fetch(scorer, sheet, video, range="bytes=10-").status_code == 416


def test_sheet_media_has_a_neutral_name(sheet: Sheet, video: Upload, scorer: User) -> None:
    response = fetch(scorer, sheet, video)
    assert b"".join(response)
    assert response["Content-Disposition"] == f'inline; filename="talk-{str(video.pk)[:8]}.mp4"'


def test_sheet_media_notes_who_looked(sheet: Sheet, video: Upload, scorer: User) -> None:
    assert b"".join(fetch(scorer, sheet, video))
    looks = [(one.actor, one.object_id, one.after) for one in Event.objects.filter(verb="upload.view")]
    assert looks == [(scorer, str(video.pk), {"shown_as": "film", "door": f"sheet {sheet.pk}"})]


def addresses(sheet: Sheet, upload: Upload) -> list[str]:
    """Every address under which something of a film is served."""
    by_sheet = ["sheet-media", "sheet-poster", "sheet-captions"]
    by_owner = ["media-watch", "media-video", "media-document", "media-poster", "media-captions", "upload-captions"]
    found = [reverse(f"scoring:{name}", args=[sheet.pk, upload.pk]) for name in by_sheet]
    found += [reverse(f"portfolios:{name}", args=[upload.pk]) for name in by_owner]
    return [*found, f"/media/{upload.storage_key}", f"/media/{upload.storage_key}-film"]


def statuses(person: User, sheet: Sheet, upload: Upload) -> list[int]:
    answers = [signed_in(person).get(url) for url in addresses(sheet, upload)]
    assert all(b"".join(answer) for answer in answers)  # which also closes the files
    return [answer.status_code for answer in answers]


@pytest.mark.media_case(39)
def test_sheet_media_of_another_entry_or_not_handed_in_is_not_there(
    sheet: Sheet, video: Upload, scorer: User, other_scorer: User, lead: User
) -> None:
    for kind in ("poster", "captions"):
        prepare(video, NOW, kind)
    assert statuses(scorer, sheet, video) == [200] * 3 + [404] * 8
    other = make_reading(make_locked(), other_scorer)
    for person, by in ((other_scorer, other), (other_scorer, sheet), (lead, sheet), (scorer, other)):
        assert statuses(person, by, video) == [404] * 11
    assert not Event.objects.filter(verb="upload.view", actor__in=[other_scorer, lead]).exists()
    for state in ("open", "removed", "replaced", "rejected", "withdrawn"):
        Upload.objects.filter(pk=video.pk).update(state=state)
        assert statuses(scorer, sheet, video) == [404] * 11


# ---- Blindness


SECRETS = ["Quenelle", "Zwiebel", "quenelle@", "Umbrella", "Marsupial", "Gondola", "Xylophone", "boss@", "holiday"]
SECRETS += ["the file as it came"]


@pytest.fixture
def secret_sheet(scorer: User) -> Sheet:
    user = make_user("Quenelle Zwiebel", email="quenelle@secret.example")
    registration = make_registration(
        user,
        district="Umbrella District",
        employer="Marsupial Schools",
        school="Gondola Elementary",
        supervisor_name="Xylophone Boss",
        supervisor_email="boss@secret.example",
    )
    entry = make_locked(registration)
    video = make_requirement(entry.factor, "talk", kind=Requirement.Kind.VIDEO)
    files = [
        make_upload(entry, filename="Quenelle Zwiebel holiday.pdf"),
        make_upload(entry, video, filename="holiday.mp4", extension=".mp4"),
    ]
    for upload in files:
        storage.default().put(upload.storage_key, BytesIO(b"the file as it came"), content_type="video/mp4")
    prepare(files[0], NOW, "clean")
    for kind in ("film", "poster", "captions"):
        prepare(files[1], NOW, kind)
    return make_reading(entry, scorer)


def crawl(client: Client, start: str) -> Iterator[tuple[str, HttpResponse]]:
    """Every page that links lead to within scoring, from `start`."""
    waiting, seen = [start], set()
    while waiting:
        url = waiting.pop()
        if url in seen:
            continue
        seen.add(url)
        response = client.get(url)
        yield url, response
        if not response.streaming and response.headers.get("Content-Type", "").startswith("text/html"):
            page = BeautifulSoup(response.content, "html.parser")
            linked = [tag.get(name) for tag in page.select("*") for name in ("href", "src", "poster", "action", "data")]
            waiting += [str(link) for link in linked if str(link).startswith("/scoring/")]


def leaks(response: HttpResponse) -> list[str]:
    body = b"".join(response) if response.streaming else response.content
    said = body.decode(errors="replace") + str(response.headers)
    return [word for word in SECRETS if word.lower() in said.lower()]


def test_no_page_a_scorer_can_reach_names_the_candidate(secret_sheet: Sheet, scorer: User) -> None:
    found = {url: leaks(response) for url, response in crawl(signed_in(scorer), "/scoring/")}
    assert f"/scoring/sheets/{secret_sheet.pk}/" in found
    assert f"/scoring/sheets/{secret_sheet.pk}/recuse/" in found
    kinds = {url.split("/media/")[1][37:]: url for url in found if "/media/" in url}
    assert set(kinds) == {"", "?as=film", "poster/", "captions/"}
    assert sum("/media/" in url for url in found) == 5
    assert {url: words for url, words in found.items() if words} == {}


def test_no_page_a_lead_can_reach_names_the_candidate(secret_sheet: Sheet, lead: User) -> None:
    make_reading(secret_sheet.assignment.entry, lead, role="adjudication")
    found = {url: leaks(response) for url, response in crawl(signed_in(lead), "/scoring/board/")}
    assert "/scoring/board/" in found
    assert {url: words for url, words in found.items() if words} == {}


def test_no_answer_to_a_scorers_action_names_the_candidate(secret_sheet: Sheet, scorer: User) -> None:
    client = signed_in(scorer)
    url = reverse("scoring:sheet", args=[secret_sheet.pk])
    json = {"accept": "application/json"}
    answers = [
        client.post(url, typed(secret_sheet, "9"), headers=json),
        client.post(url, typed(secret_sheet, "9")),
        client.post(url, typed(secret_sheet, "4.00"), headers=json),
        client.post(url, typed(secret_sheet, "1.00"), headers=json),
        client.post(url, typed(secret_sheet, "1.00")),
        client.get(f"{url}finalise/"),
        client.post(f"{url}finalise/", {"version": 1}),
        client.post(f"{url}recuse/", follow=True),
        client.get(url),
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 200, 409, 409, 200, 409, 200, 404]
    assert [leaks(answer) for answer in answers] == [[]] * len(answers)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["sheet", "sheet-finalise", "sheet-recuse"])
def test_sheet_that_is_passed_on_during_the_press_is_not_found(
    name: str, scorer: User, other_scorer: User, staff: User
) -> None:
    sheet = make_reading(make_locked(), scorer)
    client, url = signed_in(scorer), reverse(f"scoring:{name}", args=[sheet.pk])
    answers = run_behind(
        lambda: handover.stand_down(scorer.pk, by=staff, at=NOW),
        [lambda: client.post(url, typed(sheet, "3.00", "3.00", "3.00")).status_code],
    )
    assert answers == [404]
