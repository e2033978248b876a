"""The pages of a release: what staff read there, and that a refusal is said in words."""

import re

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from candidates.models import Cycle, Registration, User
from icg_cert import next_steps
from icg_cert.lib import clock
from portfolios.models import Entry
from scoring import release
from scoring.models import GateException, Release, Result
from tests.factories import (
    at,
    make_cohort,
    make_cycle,
    make_entry,
    make_factor,
    make_policy,
    make_registration,
    make_release,
    make_scored_entry,
)
from tests.scoring.worlds import BEFORE, DUE, correct, seven


@pytest.fixture
def cycle(db: None) -> Cycle:
    make_policy()
    clock.jump_to(BEFORE)
    return make_cycle(2027)


@pytest.fixture
def desk(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def other_desk(other_staff: User) -> Client:
    client = Client()
    client.force_login(other_staff)
    return client


def url(name: str, cycle: Cycle) -> str:
    return reverse(f"scoring:{name}", args=[cycle.pk])


def words(html: bytes) -> str:
    main = BeautifulSoup(html, "html.parser").find("main")
    assert main is not None
    return " ".join(main.get_text(" ").split())


def read(client: Client, cycle: Cycle, query: str = "") -> str:
    return words(client.get(url("release", cycle) + query).content)


def check(client: Client, cycle: Cycle, query: str = "") -> str:
    """Press the button, and read the page that comes."""
    assert client.post(url("release-check", cycle)).status_code == 302
    return read(client, cycle, query)


def test_release_detail_names_what_is_missing(cycle: Cycle, desk: Client) -> None:
    make_scored_entry(make_registration(code="BBBB2222"))
    blocked = make_registration(code="CCCC2222")
    make_entry(blocked, make_factor(3), cycle, status=Entry.Status.LOCKED)
    assert "Nobody has checked the candidates of this cycle yet." in read(desk, cycle)
    page = check(desk, cycle)
    assert "Not ready yet." in page
    assert "2 taking part 1 not ready" in page
    assert "Scored 1 0 1 who fail “Scored”" in page
    assert "factor 3 has no final first reading." in page
    assert page.index("CCCC2222") < page.index("BBBB2222")
    for query in ("?show=blocked", "?rule=scored", "?q=cccc2222", f"?q={blocked.user.name}"):
        only = read(desk, cycle, query)
        assert (query, "CCCC2222" in only, "BBBB2222" in only) == (query, True, False)
    for query in ("?q=nobody", "?show=held", "?rule=totals"):
        assert "Nobody is like that." in read(desk, cycle, query)


@pytest.mark.parametrize("query", ["?show=x", "?rule=x", "?page=x", "?page=99", "?q=%00", "?q=" + "x" * 5000])
def test_release_detail_of_what_nobody_would_ask(cycle: Cycle, desk: Client, query: str) -> None:
    make_scored_entry(make_registration())
    check(desk, cycle)
    assert desk.get(url("release", cycle) + query).status_code == 200
    assert desk.get(url("release-outcomes", cycle) + query).status_code == 200


def test_release_detail_says_who_is_withheld(cycle: Cycle, desk: Client) -> None:
    make_scored_entry(make_registration(code="BBBB2222"))
    make_scored_entry(make_registration(code="CCCC2222", payment_status=Registration.Payment.PO_COMMITTED))
    assert "Everybody is ready 1 withheld until paid" in check(desk, cycle)
    only = read(desk, cycle, "?show=withheld")
    assert ("CCCC2222" in only, "BBBB2222" in only) == (True, False)


def test_release_detail_while_the_window_is_open(cycle: Cycle, desk: Client) -> None:
    clock.jump_to(cycle.opens_at)
    make_scored_entry(make_registration())
    assert "The submission window is still open." in read(desk, cycle)


def test_release_walks_from_prepared_to_released(cycle: Cycle, desk: Client, other_desk: Client) -> None:
    make_scored_entry(make_registration())
    assert "Every rule passes for everybody." in check(desk, cycle)
    desk.post(url("release-prepare", cycle), {"releases_at": "2027-10-31T09:00"})
    assert Release.objects.get().releases_at == DUE
    assert "You prepared this release for 31 October 2027, 9:00 a.m. Central Time" in read(desk, cycle)
    assert "Approve this release" not in read(desk, cycle)

    assert "Stef Stone prepared this release" in read(other_desk, cycle)
    seen = re.search(rb'name="prepared_at" value="([^"]+)"', other_desk.get(url("release-approve", cycle)).content)
    assert seen is not None
    other_desk.post(url("release-approve", cycle), {"prepared_at": seen.group(1).decode()})
    assert "The results come out by themselves on 31 October 2027" in read(other_desk, cycle)

    release.release_due(DUE)
    assert "Released. Everybody taking part has been told" in read(desk, cycle)


@pytest.mark.parametrize("seen", ["", "soon", "2027-13-45T99:00", "2027-10-01T09:00:00+00:00"])
def test_release_approve_of_another_decision_is_refused(
    cycle: Cycle, desk: Client, other_desk: Client, seen: str
) -> None:
    make_scored_entry(make_registration())
    desk.post(url("release-prepare", cycle), {"releases_at": "2027-10-31T09:00"})
    response = other_desk.post(url("release-approve", cycle), {"prepared_at": seen})
    assert (response.status_code, Release.objects.get().state) == (409, "prepared")
    assert "This release was prepared anew since you looked at it." in words(response.content)


def test_release_approve_by_the_preparer_is_a_page_that_says_so(cycle: Cycle, desk: Client) -> None:
    make_scored_entry(make_registration())
    desk.post(url("release-prepare", cycle), {"releases_at": "2027-10-31T09:00"})
    response = desk.post(url("release-approve", cycle))
    assert response.status_code == 409
    assert "You prepared this release. Another member of staff has to approve it." in words(response.content)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Say when the results come out."),
        ("soon", "Write a date and a time."),
        ("9999-12-31T23:59", "This is more than a year away. Choose an earlier instant."),
        ("2027-10-20T08:59", "This instant has passed."),
        ("2028-03-12T02:30", "couldn’t be interpreted"),  # the clocks skip this half hour
    ],
)
def test_release_prepare_keeps_what_was_typed(cycle: Cycle, desk: Client, typed: str, said: str) -> None:
    make_scored_entry(make_registration())
    response = desk.post(url("release-prepare", cycle), {"releases_at": typed})
    assert (response.status_code, said in words(response.content)) == (200, True)
    assert f'value="{typed}"' in response.content.decode() or not typed
    assert not Release.objects.exists()


def test_release_prepare_proposes_the_announced_instant_or_the_next_minute(cycle: Cycle, desk: Client) -> None:
    assert 'value="2027-10-31T09:00"' in desk.get(url("release-prepare", cycle)).content.decode()
    clock.jump_to(at(2027, 11, 2, 14, 30))
    make_scored_entry(make_registration())
    page = desk.get(url("release-prepare", cycle)).content.decode()
    assert 'value="2027-11-02T14:31"' in page
    assert desk.post(url("release-prepare", cycle), {"releases_at": "2027-11-02T14:31"}).status_code == 302


def test_release_pages_of_a_release_that_is_not_prepared_are_404(cycle: Cycle, desk: Client) -> None:
    assert [desk.get(url(name, cycle)).status_code for name in ("release-approve", "release-withdraw")] == [404, 404]


@pytest.mark.parametrize("count", [1, 3])
def test_release_detail_asks_the_same_few_times(
    cycle: Cycle,
    desk: Client,
    count: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(next_steps, "ASKED", [])
    make_release(cycle)
    for _ in range(count):
        make_scored_entry(make_registration())
    for _ in range(2):
        check(desk, cycle)  # and reads what is kept in memory
    code, asked = Registration.objects.all()[0].code, {}
    for name, args in (
        ("release", []),
        ("release-outcomes", []),
        ("release-candidate", [code]),
        ("release-preview", [code]),
    ):
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(reverse(f"scoring:{name}", args=[cycle.pk, *args])).status_code == 200
        asked[name] = len(captured)
    assert asked == {"release": 14, "release-outcomes": 13, "release-candidate": 31, "release-preview": 42}


@pytest.mark.parametrize("count", [1, 3])
def test_release_list_asks_the_same_few_times(
    cycle: Cycle,
    desk: Client,
    count: int,
    django_assert_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(next_steps, "ASKED", [])
    for year in range(2028 - count, 2028):
        make_release(make_cycle(year))
    desk.get(reverse("scoring:release-list"))  # reads what is kept in memory
    with django_assert_num_queries(5):
        assert desk.get(reverse("scoring:release-list")).status_code == 200


# ---- The dry run, and one candidate


def candidate_url(name: str, cycle: Cycle, registration: Registration, *more: object) -> str:
    return reverse(f"scoring:release-{name}", args=[cycle.pk, registration.code, *more])


def test_release_outcomes_shows_what_would_be_told_and_what_is_different(cycle: Cycle, desk: Client) -> None:
    assert "There is no dry run of this cycle yet." in words(desk.get(url("release-outcomes", cycle)).content)
    certified = seven(make_registration(code="BBBB2222"))
    make_scored_entry(make_registration(code="CCCC2222"), 1, ("2.00",) * 3, ("2.00",) * 3)
    check(desk, cycle)
    page = words(desk.get(url("release-outcomes", cycle)).content)
    assert "Certified 1" in page
    assert "Different from" not in page
    only = words(desk.get(url("release-outcomes", cycle) + "?status=not_yet").content)
    assert ("CCCC2222" in only, "BBBB2222" in only) == (True, False)
    correct(certified, value="3.25")
    check(desk, cycle)
    page = words(desk.get(url("release-outcomes", cycle)).content)
    assert "1 candidate would be told something else, or stands otherwise." in page
    assert "21.000" in page
    assert "21.125" in page
    check(desk, cycle)
    page = words(desk.get(url("release-outcomes", cycle)).content)
    assert "Nothing: everybody would be told the same as on" in page


def test_release_preview_is_the_report_marked_and_gone(cycle: Cycle, desk: Client) -> None:
    registration = seven(make_registration())
    response = desk.get(candidate_url("preview", cycle, registration))
    page = words(response.content)
    assert page.startswith("Release Preview") or "Preview: nobody has been told this." in page
    assert "You are certified" in page
    assert "21.000" in page
    assert response["Cache-Control"].find("no-store") >= 0
    assert not Result.objects.exists()


def test_release_preview_of_who_is_not_scored_or_told_already(cycle: Cycle, desk: Client) -> None:
    unscored = make_registration()
    make_entry(unscored, make_factor(3), cycle, status=Entry.Status.LOCKED)
    response = desk.get(candidate_url("preview", cycle, unscored))
    assert (response.status_code, "no report to look at" in words(response.content)) == (409, True)
    told = seven(make_registration())
    make_release(cycle)
    release.release_due(DUE)
    response = desk.get(candidate_url("preview", cycle, told))
    assert (response.status_code, response["Location"]) == (302, f"/results/{cycle.pk}/{told.code}/")


def test_release_preview_of_who_has_not_paid_says_that_it_waits(cycle: Cycle, desk: Client) -> None:
    registration = seven(make_registration(payment_status=Registration.Payment.PO_COMMITTED))
    page = words(desk.get(candidate_url("preview", cycle, registration)).content)
    assert "Until the fee is settled they would only read that it waits." in page
    assert "21.000" in page


def test_release_candidate_shows_every_rule_and_the_proof_of_coverage(cycle: Cycle, desk: Client) -> None:
    registration = make_registration()
    make_scored_entry(registration, 1, ("3.00",) * 3)
    page = words(desk.get(candidate_url("candidate", cycle, registration)).content)
    assert "Not ready: the release waits for what is missing." in page
    assert "Factor 1 A second reading lies near the floor or the threshold Missing" in page
    assert "One entry at least A second reading of each candidate is read twice Missing" in page
    assert "Totals agree Passes" in page


def test_exception_is_signed_shown_at_approval_and_withdrawn(cycle: Cycle, desk: Client, other_desk: Client) -> None:
    registration = make_registration(code="BBBB2222")
    make_scored_entry(registration, 1, ("3.00",) * 3)
    sign = candidate_url("except", cycle, registration, "coverage")
    assert "Say why." in words(desk.post(sign, {"reason": ""}).content)
    assert desk.post(sign, {"reason": "Nobody else may read it."}).status_code == 302
    assert desk.post(sign, {"reason": "Again."}).status_code == 409
    page = words(desk.get(candidate_url("candidate", cycle, registration)).content)
    assert "Excepted: “Nobody else may read it.”" in page
    assert "1 excepted" in check(desk, cycle)
    desk.post(url("release-prepare", cycle), {"releases_at": "2027-10-31T09:00"})
    page = words(other_desk.get(url("release-approve", cycle)).content)
    assert "Stef Stone signed on 20 October 2027 : “Nobody else may read it.”" in page
    withdraw = candidate_url("unexcept", cycle, registration, GateException.objects.get().pk)
    assert desk.post(withdraw).status_code == 302
    assert "Prepared, but not everybody is ready any more." in check(desk, cycle)


@pytest.mark.parametrize(("rule", "status"), [("totals", 409), ("fee", 409), ("nothing", 404)])
def test_exception_from_another_rule_is_not_offered(cycle: Cycle, desk: Client, rule: str, status: int) -> None:
    registration = make_registration()
    make_scored_entry(registration, 1, ("3.00",) * 3)
    assert desk.get(candidate_url("except", cycle, registration, rule)).status_code == status


def test_hold_and_lift_as_pages(cycle: Cycle, desk: Client) -> None:
    registration = seven(make_registration(code="BBBB2222"))
    seven(make_registration(code="CCCC2222"))
    hold = candidate_url("hold", cycle, registration)
    assert "This day has passed." in words(desk.post(hold, {"reason": "?", "hear_on": "2027-10-19"}).content)
    for typed in ({"reason": "", "hear_on": "2027-11-15"}, {"reason": "?", "hear_on": "someday"}):
        assert desk.post(hold, typed).status_code == 200
    assert desk.post(hold, {"reason": "A question.", "hear_on": "2027-11-15"}).status_code == 302
    assert "1 held back" in check(desk, cycle)
    assert "BBBB2222 by Stef Stone since 20 October 2027 : “A question.”" in read(desk, cycle)
    lift = candidate_url("lift", cycle, registration)
    assert "would be told: certified, sum 21.000." in words(desk.get(lift).content)
    assert desk.post(lift, {"seen": "x" * 65}).status_code == 302  # before the approval nothing is named
    assert "held back" not in check(desk, cycle)


def test_pages_of_one_candidate_of_another_year_are_not_there(cycle: Cycle, desk: Client) -> None:
    stranger = make_registration(cohort=make_cohort(2028))
    names = ["candidate", "preview", "hold", "lift"]
    urls = [candidate_url(name, cycle, stranger) for name in names]
    urls += [candidate_url("except", cycle, stranger, "coverage")]
    assert [desk.get(url).status_code for url in urls] == [404] * 5
