"""The pages of a release: what staff read there, and that a refusal is said in words."""

import re

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from candidates.models import Cycle, Registration, User
from icg_cert import next_steps
from icg_cert.lib import clock
from portfolios.models import Entry
from scoring import release
from scoring.models import Release
from tests.factories import (
    at,
    make_cycle,
    make_entry,
    make_factor,
    make_policy,
    make_registration,
    make_release,
    make_scored_entry,
)

BEFORE = at(2027, 10, 20, 9)
DUE = at(2027, 10, 31, 9)


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


def test_release_detail_names_what_is_missing(cycle: Cycle, desk: Client) -> None:
    make_scored_entry(make_registration(code="BBBB2222"))
    blocked = make_registration(code="CCCC2222")
    make_entry(blocked, make_factor(3), cycle, status=Entry.Status.LOCKED)
    page = read(desk, cycle)
    assert "Not ready yet." in page
    assert "2 taking part 1 not ready" in page
    assert "What is missing: scored (1), read twice (1)." in page
    assert "factor 3 has no final first reading." in page
    only = read(desk, cycle, "?show=blocked")
    assert ("CCCC2222" in only, "BBBB2222" in only) == (True, False)


def test_release_detail_says_who_is_withheld(cycle: Cycle, desk: Client) -> None:
    make_scored_entry(make_registration(code="BBBB2222"))
    make_scored_entry(make_registration(code="CCCC2222", payment_status=Registration.Payment.PO_COMMITTED))
    assert "Everybody is ready 1 withheld until paid" in read(desk, cycle)
    only = read(desk, cycle, "?show=withheld")
    assert ("CCCC2222" in only, "BBBB2222" in only) == (True, False)


def test_release_detail_while_the_window_is_open(cycle: Cycle, desk: Client) -> None:
    clock.jump_to(cycle.opens_at)
    make_scored_entry(make_registration())
    assert "The submission window is still open." in read(desk, cycle)


def test_release_walks_from_prepared_to_released(cycle: Cycle, desk: Client, other_desk: Client) -> None:
    make_scored_entry(make_registration())
    assert "Every rule passes for everybody." in read(desk, cycle)
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
    django_assert_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(next_steps, "ASKED", [])
    make_release(cycle)
    for _ in range(count):
        make_scored_entry(make_registration())
    desk.get(url("release", cycle))  # reads what is kept in memory
    with django_assert_num_queries(19):
        assert desk.get(url("release", cycle)).status_code == 200


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
