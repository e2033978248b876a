"""The pages of calibration, benchmarks and qualifications: what a scorer, a lead and staff read there."""

from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from candidates.models import PolicyText, User
from icg_cert import next_steps
from icg_cert.lib import clock
from portfolios import consents
from portfolios.models import Upload
from scoring import calibration, qualifications
from scoring.models import Benchmark, Qualification, Reference, Sheet
from tests.factories import (
    at,
    make_benchmark,
    make_factor,
    make_locked,
    make_policy,
    make_reading,
    make_reference,
    make_requirement,
    make_rubric,
    make_scorer,
    make_standard,
    make_text,
    make_upload,
)
from tests.portfolios.handing_in import prepare

NOW = at(2028, 7, 1, 9)


@pytest.fixture(autouse=True)
def today(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    make_policy()
    clock.jump_to(NOW)
    monkeypatch.setattr(next_steps, "ASKED", [])  # what others ask is counted in their tests


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def page_of(person: User, url: str, status: int = 200) -> BeautifulSoup:
    response = signed_in(person).get(url)
    assert response.status_code == status
    return BeautifulSoup(response.content, "html.parser")


def press(person: User, url: str, data: dict[str, Any] | None = None) -> BeautifulSoup:
    response = signed_in(person).post(url, data or {}, follow=True)
    return BeautifulSoup(response.content, "html.parser")


def texts(page: BeautifulSoup, selector: str) -> list[str]:
    return [" ".join(tag.get_text(" ").split()) for tag in page.select(selector)]


def fill(scorer: User, sheet: Sheet, *values: str) -> BeautifulSoup:
    """On the sheet's own form, then finalised; the page one lands on."""
    keys = [one.pk for one in sheet.rubric.criteria.all()]
    data = {f"value-{key}": value for key, value in zip(keys, values, strict=True)}
    data |= {f"evidence-{key}": "Seen at 2:10." for key in keys}
    client = signed_in(scorer)
    client.post(reverse("scoring:sheet", args=[sheet.pk]), {"version": 0, "comment": "", **data})
    page = client.post(reverse("scoring:sheet-finalise", args=[sheet.pk]), {"version": 1}, follow=True)
    return BeautifulSoup(page.content, "html.parser")


def open_trial(scorer: User) -> Sheet:
    press(scorer, "/scoring/calibration/1/begin/")
    return Sheet.objects.get(trial__scorer=scorer, status="draft")


# ---- A scorer's calibration


def test_calibration_from_the_first_benchmark_to_the_qualification(scorer: User) -> None:
    make_standard()
    make_benchmark("3.00", "2.75", "4.00")
    make_benchmark()
    page = page_of(scorer, "/scoring/calibration/")
    assert texts(page, ".task .state") == ["Not qualified yet"]
    assert texts(page, ".task-sentence") == [
        "2 benchmarks; 50 in 100 values exact, 80 in 100 exact or adjacent, none more than 1.00 points away."
    ]
    assert texts(page, ".task button") == ["Begin : 1. Factor 1"]
    sheet = open_trial(scorer)
    page = page_of(scorer, f"/scoring/sheets/{sheet.pk}/")
    assert texts(page, ".eyebrow") == [f"Calibration · Candidate {sheet.task.code}"]
    assert [word for word in ("Due:", "Why 3.00", "Reference") if word in page.get_text()] == []
    feedback = fill(scorer, sheet, "3.00", "3.00", "4.25")
    assert [texts(row, "th, td") for row in feedback.select("tbody tr")] == [  # type: ignore[arg-type]
        ["Criterion 1", "3.00", "3.00", "Exact"],
        ["Criterion 2", "3.00", "2.75", "Adjacent"],
        ["Criterion 3", "4.25", "4.00", "Adjacent"],
    ]
    assert texts(feedback, "main h3") == ["Criterion 1: 3.00", "Criterion 2: 2.75", "Criterion 3: 4.00"]
    assert texts(feedback, "main .actions button") == ["Read the next benchmark"]
    assert texts(page_of(scorer, "/scoring/calibration/"), ".task-sentence") == ["1 of 2 benchmarks read."]
    done = fill(scorer, open_trial(scorer), "3.00", "3.00", "3.00")
    assert texts(done, ".notice h2") == ["You have passed"]
    page = page_of(scorer, "/scoring/calibration/")
    assert (texts(page, ".task .state"), texts(page, ".task button")) == (["Qualified"], [])
    assert len(page.select("main section li a")) == 2


def test_calibration_failed_says_what_to_do(scorer: User) -> None:
    make_standard(benchmarks=1)
    make_benchmark()
    page = fill(scorer, open_trial(scorer), "1.00", "3.00", "3.00")
    assert texts(page, ".notice h2") == ["Not passed yet"]
    assert "Read the reasons below beside the rubric’s words" in page.get_text()
    page = page_of(scorer, "/scoring/calibration/")
    assert texts(page, ".task .state") == ["Not passed yet"]
    assert "The lead scorers decide how you go on" in page.get_text()
    make_benchmark()
    assert texts(page_of(scorer, "/scoring/calibration/"), ".task button") == ["Try again : 1. Factor 1"]


def test_calibration_without_benchmarks_says_so(scorer: User) -> None:
    make_factor()
    page = page_of(scorer, "/scoring/calibration/")
    assert texts(page, ".task-sentence") == ["There are no benchmarks for you yet. You need do nothing."]
    assert texts(press(scorer, "/scoring/calibration/1/begin/"), ".notice-careful") != []


def test_calibration_is_not_in_the_queue_nor_on_the_dashboard(scorer: User) -> None:
    make_standard()
    make_benchmark()
    make_benchmark()
    open_trial(scorer)
    assert texts(page_of(scorer, "/scoring/"), ".empty h2") == ["Nothing to read now"]
    make_reading(make_locked(), scorer)
    page = page_of(scorer, "/dashboard/")
    assert page.get_text().count("2027") >= 1
    assert "None" not in page.get_text()


def test_calibration_films_need_a_consent_to_training(scorer: User) -> None:
    make_standard(benchmarks=1)
    make_text(PolicyText.Kind.CONSENT)
    make_text(PolicyText.Kind.TRAINING)
    entry = make_benchmark().entry
    film = make_upload(entry, make_requirement(entry.factor, "talk", kind="video"), extension=".mp4")
    prepare(film, NOW)
    consents.allow_training(film.pk, by=film.owner, at=NOW)
    sheet = open_trial(scorer)
    url = reverse("scoring:sheet-media", args=[sheet.pk, film.pk])
    assert b"".join(signed_in(scorer).get(url))  # type: ignore[arg-type]
    consents.withdraw_training(film.pk, by=film.owner, at=NOW)
    assert signed_in(scorer).get(url).status_code == 404


@pytest.mark.parametrize("rows", [1, 3])
def test_calibration_queries_do_not_grow(
    rows: int, scorer: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_standard(benchmarks=1)
    for number in range(1, rows + 1):
        make_benchmark(factor=number)
        make_benchmark(factor=number)
        sheet = calibration.begin(make_factor(number), by=scorer, at=NOW)
        fill(scorer, sheet, "1.00", "1.00", "1.00")
    client = signed_in(scorer)
    client.get("/scoring/calibration/")
    with django_assert_num_queries(19):
        client.get("/scoring/calibration/")
    with django_assert_num_queries(8):
        client.get(f"/scoring/calibration/sheets/{sheet.pk}/")


# ---- Benchmarks


def test_benchmark_from_choosing_to_the_second_signature(lead: User, staff: User) -> None:
    entry = make_locked(outcome="banked")
    make_upload(entry)
    page = page_of(lead, "/scoring/benchmarks/new/")
    assert texts(page, "select[name=entry] option")[1:] == [f"Factor 1 of 2027, candidate {entry.registration.code}"]
    assert entry.registration.user.name not in page.get_text()
    page = press(lead, "/scoring/benchmarks/new/", {"entry": entry.pk, "use": "calibration", "permission": "Letter."})
    assert texts(page, "main .state") == ["Waits for its reference"]
    pk = Benchmark.objects.get().pk
    press(lead, f"/scoring/benchmarks/{pk}/write/")
    sheet = Sheet.objects.get()
    form = page_of(lead, f"/scoring/sheets/{sheet.pk}/")
    assert form.select("[name=comment], [name=feedback]") == []
    page = fill(lead, sheet, "3.00", "3.25", "3.50".replace("3.50", "3.75"))
    assert texts(page, ".summary .state") == ["Waits for a signature"]
    assert texts(page, ".split-right h3") == ["Criterion 1: 3.00", "Criterion 2: 3.25", "Criterion 3: 3.75"]
    other = make_scorer("", "lead scorer")
    reference = Reference.objects.get()
    assert texts(page_of(other, f"/scoring/benchmarks/{pk}/"), "main button")[0] == "Sign this reference"
    page = press(other, f"/scoring/references/{reference.pk}/sign/")
    assert texts(page, ".summary .state") == ["In use"]
    assert texts(page_of(staff, f"/scoring/benchmarks/{pk}/"), "main button") == []
    assert entry.registration.user.name not in page.get_text()


def test_benchmark_new_says_when_there_is_nothing(lead: User) -> None:
    assert texts(page_of(lead, "/scoring/benchmarks/new/"), ".empty h2") == ["Nothing to choose from"]


def test_benchmark_of_an_older_rubric_says_so(lead: User) -> None:
    benchmark = make_benchmark()
    make_factor().rubrics.update(is_current=False)
    make_rubric(make_factor(), version=2)
    page = page_of(lead, f"/scoring/benchmarks/{benchmark.pk}/")
    assert "the factor has another rubric by now" in page.get_text()


def test_benchmark_retire_asks_for_a_reason(lead: User) -> None:
    benchmark = make_benchmark()
    url = f"/scoring/benchmarks/{benchmark.pk}/retire/"
    assert texts(press(lead, url, {"reason": ""}), ".error-summary li") != []
    assert texts(press(lead, url, {"reason": "Too well known."}), ".table .state") == ["No longer used"]


@pytest.mark.parametrize("rows", [1, 3])
def test_benchmark_queries_do_not_grow(
    rows: int, lead: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(rows):
        one = make_benchmark()
        make_reference(one, "3.00", "3.00", "3.00", lead=one.chosen_by)
    client = signed_in(lead)
    client.get("/scoring/benchmarks/")
    with django_assert_num_queries(8):
        client.get("/scoring/benchmarks/")
    for _ in range(rows):
        make_upload(one.entry, make_requirement(one.entry.factor, f"more-{_}"))
    with django_assert_num_queries(17):
        client.get(f"/scoring/benchmarks/{one.pk}/")
    assert Upload.objects.count() == 2 * rows


# ---- Who is qualified


def test_qualifications_show_everybody_and_lead_to_the_history(scorer: User, other_scorer: User, staff: User) -> None:
    make_factor(2)
    qualifications.qualify(scorer, make_factor(), reason="Training of May.", by=None, at=NOW)
    page = page_of(staff, "/scoring/qualifications/")
    assert [texts(row, "th, td") for row in page.select("tbody tr")] == [  # type: ignore[arg-type]
        ["Sol Sato", "Qualified : Sol Sato, factor 1", "No : Sol Sato, factor 2"],
        ["Tia Torres", "No : Tia Torres, factor 1", "No : Tia Torres, factor 2"],
    ]
    url = f"/scoring/qualifications/{scorer.pk}/1/"
    assert texts(page_of(staff, url), "main section li") == ["Qualified 1 July 2028 : Training of May."]
    page = press(staff, url, {"act": "end", "reason": "On leave."})
    assert texts(page, "main section li") == ["Qualified 1 July 2028 : Training of May. Ended 1 July 2028 : On leave."]
    assert texts(page, "main form button") == ["Qualify without calibration"]


@pytest.mark.parametrize("data", [{"act": "qualify", "reason": ""}, {"act": "x", "reason": "Why."}, {"reason": "Why."}])
def test_qualification_of_asks_what_and_why(data: dict[str, str], scorer: User, lead: User) -> None:
    make_factor()
    response = signed_in(lead).post(f"/scoring/qualifications/{scorer.pk}/1/", data)
    assert response.status_code == 409
    assert Qualification.objects.count() == 0


def test_qualification_of_oneself_is_for_others(lead: User) -> None:
    make_factor()
    url = f"/scoring/qualifications/{lead.pk}/1/"
    assert page_of(lead, url).select("main form") == []
    assert signed_in(lead).post(url, {"act": "qualify", "reason": "I can."}).status_code == 409


@pytest.mark.parametrize("rows", [1, 3])
def test_qualification_queries_do_not_grow(
    rows: int, lead: User, scorer: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    person: Callable[[], User] = make_scorer
    for number in range(1, rows + 1):
        for one in (person(), scorer):
            qualifications.qualify(one, make_factor(number), reason="Training.", by=None, at=NOW)
    client = signed_in(lead)
    client.get("/scoring/qualifications/")
    with django_assert_num_queries(7):
        client.get("/scoring/qualifications/")
    with django_assert_num_queries(10):
        client.get(f"/scoring/qualifications/{scorer.pk}/1/")
