from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from candidates.admin.registrations import DECISIONS, MOST_AT_ONCE
from candidates.models import Cohort, Cycle, EvidenceRequest, Extension, PolicyText, Programme, Registration, User
from icg_cert.audit.models import Event
from icg_cert.lib import clock
from icg_cert.mail.models import Message
from icg_cert.permissions import grant_roles
from tests.factories import (
    at,
    make_cohort,
    make_cycle,
    make_evidence_request,
    make_programme,
    make_registration,
    make_text,
    make_user,
)

LIST = "/admin/candidates/registration/"


@pytest.fixture(autouse=True)
def world(db: None) -> None:
    make_programme()
    grant_roles()
    clock.jump_to(at(2027, 2, 10, 12))


@pytest.fixture
def desk(client: Client, staff: User) -> Client:
    """Staff, signed in."""
    client.force_login(staff)
    return client


def text(response: Any) -> str:
    return " ".join(BeautifulSoup(response.content, "html.parser").get_text().split())


def decide(client: Client, name: str, *rows: Registration, **typed: Any) -> Any:
    ids = ",".join(str(row.pk) for row in rows)
    return client.post(f"{LIST}decide/{name}/?ids={ids}", typed, follow=True)


def statuses(*rows: Registration) -> list[str]:
    return [Registration.objects.get(pk=row.pk).status for row in rows]


# Registrations


@pytest.mark.parametrize("rows", [1, 3])
def test_registration_list_queries(desk: Client, rows: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(rows):
        make_registration()
    with django_assert_num_queries(8):
        assert desk.get(LIST).status_code == 200


@pytest.mark.parametrize("query", ["?q=lakeside", "?status__exact=approved", "?payment_status__exact=paid"])
def test_registration_list_is_searched_and_filtered(desk: Client, query: str) -> None:
    row = make_registration(status="approved")
    assert row.code in text(desk.get(LIST + query))


def test_registration_is_looked_at_and_not_edited(desk: Client) -> None:
    row = make_evidence_request(pdf=b"%PDF-1.7").registration
    page = BeautifulSoup(desk.get(f"{LIST}{row.pk}/change/").content, "html.parser")
    assert page.select("main form input:not([type=hidden]), #registration_form input:not([type=hidden])") == []
    assert "80.0 %" in page.get_text()
    assert [
        link["href"]
        for link in page.select("a")
        if "evidence" in str(link.get("href")) and "document" in str(link["href"])
    ]


@pytest.mark.parametrize("status", Registration.Status.values)
def test_registration_offers_what_is_possible(desk: Client, status: str) -> None:
    row = make_registration(status=status)
    page = BeautifulSoup(desk.get(f"{LIST}{row.pk}/change/").content, "html.parser")
    offered = {
        str(link["href"]).split("/decide/")[1].split("/")[0] for link in page.select(".object-tools a[href*=decide]")
    }
    steps = {"approve": "approved", "refuse": "refused", "ask": "evidence_requested"}
    possible = {name for name, to in steps.items() if to in Registration.NEXT[status]}
    assert offered == possible | ({"extend"} if row.is_standing else set())


def test_an_action_leads_to_the_page_between(desk: Client) -> None:
    rows = [make_registration(), make_registration()]
    chosen = {"action": "refuse_selected", "_selected_action": [row.pk for row in rows]}
    response = desk.post(LIST, chosen, follow=True)
    page = text(response)
    assert all(f"{row.user.name} ({row.code})" in page for row in rows)
    assert "They are told that they are not eligible, and why." in page
    assert statuses(*rows) == ["registered", "registered"]


def test_an_action_on_too_many_is_refused(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_AT_ONCE == 200
    monkeypatch.setattr("candidates.admin.registrations.MOST_AT_ONCE", 1)
    rows = [make_registration(), make_registration()]
    chosen = {"action": "approve_selected", "_selected_action": [row.pk for row in rows]}
    assert "Choose at most 1 at once." in text(desk.post(LIST, chosen, follow=True))


def test_decide_refuses_with_a_reason(desk: Client, staff: User) -> None:
    row = make_registration()
    assert "Nothing was changed." in text(decide(desk, "refuse", row))
    assert statuses(row) == ["registered"]
    page = text(decide(desk, "refuse", row, reason="Part-time"))
    assert "Refuse: done for 1, and they are told." in page
    assert list(Event.objects.values_list("verb", "actor", "reason")) == [
        ("registration.refuse", staff.pk, "Part-time")
    ]
    assert statuses(row) == ["refused"]


def test_decide_approves_several_and_says_of_whom_not(desk: Client) -> None:
    good, ended = make_registration(), make_registration(status="withdrawn")
    page = text(decide(desk, "approve", good, ended))
    assert f"{ended.user.name} ({ended.code}): This registration is withdrawn" in page
    assert "Approve: done for 1, and they are told." in page
    assert statuses(good, ended) == ["approved", "withdrawn"]


def test_decide_asks_a_sample_for_evidence(desk: Client) -> None:
    rows = [make_registration(), make_registration()]
    decide(desk, "ask", *rows, question="Please send a letter.")
    assert statuses(*rows) == ["evidence_requested", "evidence_requested"]
    assert EvidenceRequest.objects.count() == Message.objects.filter(event="evidence_requested").count() == 2


def test_decide_grants_an_extension_in_the_programmes_zone(desk: Client) -> None:
    row, cycle = make_registration(), make_cycle()
    decide(desk, "extend", row, cycle=cycle.pk, closes_at="2027-06-20T00:00", reason="Flood")
    assert Extension.objects.get().closes_at == at(2027, 6, 20)


def test_decide_that_is_refused_keeps_what_was_typed(desk: Client) -> None:
    row, cycle = make_registration(), make_cycle()
    page = text(decide(desk, "extend", row, cycle=cycle.pk, closes_at="2027-06-01T00:00", reason="A flood"))
    assert "They have until then, or longer, already." in page
    assert "A flood" in page


@pytest.mark.parametrize("ids", ["", "x,", "²", "9" * 5000, "99999999999999999999", "-1"])
def test_decide_about_nobody(desk: Client, ids: str) -> None:
    assert "Nobody is chosen." in text(desk.get(f"{LIST}decide/approve/?ids={ids}"))


def test_decide_about_oneself_is_refused_and_not_offered(desk: Client, staff: User) -> None:
    mine = make_registration(staff)
    assert "somebody else has to decide" in text(decide(desk, "approve", mine))
    page = BeautifulSoup(desk.get(f"{LIST}{mine.pk}/change/").content, "html.parser")
    assert page.select(".object-tools a[href*=decide]") == []


@pytest.mark.parametrize("name", DECISIONS)
def test_finance_looks_and_decides_nothing(client: Client, finance: User, name: str) -> None:
    client.force_login(finance)
    row = make_registration()
    assert client.get(f"{LIST}{row.pk}/change/").status_code == 200
    assert client.get(f"{LIST}decide/{name}/?ids={row.pk}").status_code == 403


@pytest.mark.parametrize(
    "model", ["evidencerequest", "extension", "cohort", "cycle", "programme", "policytext", "user"]
)
def test_every_list_and_row_opens(desk: Client, staff: User, model: str) -> None:
    asked = make_evidence_request()
    make_text()
    cycle = make_cycle()
    Extension.objects.create(
        registration=asked.registration,
        cycle=cycle,
        closes_at=at(2027, 7, 1),
        granted_by=staff,
        granted_at=at(2027, 2, 1),
    )
    page = BeautifulSoup(desk.get(reverse(f"admin:candidates_{model}_changelist")).content, "html.parser")
    link = page.select("#result_list tbody th a")[0]
    assert desk.get(str(link["href"])).status_code == 200


# The year


def test_make_year_proposes_and_makes_the_next(desk: Client) -> None:
    make_cohort(2026)
    url = "/admin/candidates/cohort/make-year/"
    page = BeautifulSoup(desk.get(url).content, "html.parser")
    assert page.select("[name=year]")[0]["value"] == "2027"
    assert "Cohort 11 (2027) and the cycles 2028, 2029, 2030 are there." in text(
        desk.post(url, {"year": "2027"}, follow=True)
    )
    assert (Cohort.objects.count(), Cycle.objects.count()) == (2, 3)
    assert url in desk.get("/admin/candidates/cohort/").content.decode()


def test_make_year_refused_says_why(desk: Client) -> None:
    page = text(desk.post("/admin/candidates/cohort/make-year/", {"year": "2010"}))
    assert "Cohort 1 registered in 2017. Take a later year." in page


def test_make_year_is_for_staff(client: Client, finance: User) -> None:
    client.force_login(finance)
    assert client.get("/admin/candidates/cohort/make-year/").status_code == 403


def test_changed_dates_of_a_cohort_are_in_the_trail(desk: Client, staff: User) -> None:
    cohort = make_cohort(2026)
    sent = {
        "registration_opens_at_0": "2026-11-01",
        "registration_opens_at_1": "00:00:00",
        "registration_closes_at_0": "2027-02-08",
        "registration_closes_at_1": "00:00:00",
        "fee_minor": "40000",
        "currency": "USD",
    }
    desk.post(f"/admin/candidates/cohort/{cohort.pk}/change/", sent)
    event = Event.objects.get()
    assert (event.verb, event.actor, list(event.after)) == ("cohort.change", staff, ["registration_closes_at"])
    assert Cohort.objects.get().registration_closes_at == at(2027, 2, 8)


@pytest.mark.parametrize(("model", "make"), [("cohort", make_cohort), ("programme", Programme.objects.get)])
def test_a_currency_nobody_is_paid_in_cannot_be_typed(desk: Client, model: str, make: Callable[[], Any]) -> None:
    form = desk.get(f"/admin/candidates/{model}/{make().pk}/change/").context["adminform"].form
    assert "fee_minor" in form.fields
    assert "currency" not in form.fields


def test_a_policy_text_is_added_as_the_next_version_and_never_changed(desk: Client) -> None:
    first = make_text()
    desk.post("/admin/candidates/policytext/add/", {"kind": "attestation", "body": "Stricter."})
    assert [(text.version, text.body) for text in PolicyText.objects.order_by("version")] == [
        (1, first.body),
        (2, "Stricter."),
    ]
    assert desk.post(f"/admin/candidates/policytext/{first.pk}/change/", {"body": "x"}).status_code == 403


# People


def role(name: str) -> int:
    return Group.objects.get(name=name).pk


def test_a_new_scorer_gets_an_account_a_role_and_a_mail(desk: Client, staff: User) -> None:
    sent = {"email": "New@Example.org", "name": "Nia New", "time_zone": "", "groups": [role("scorer")]}
    response = desk.post("/admin/candidates/user/add/", sent)
    assert response.status_code == 302, text(response)
    made = User.objects.get(email="new@example.org")
    assert (made.has_usable_password(), made.is_staff, [group.name for group in made.groups.all()]) == (
        False,
        False,
        ["scorer"],
    )
    assert list(Message.objects.values_list("event", "to")) == [("account_opened", "new@example.org")]
    assert list(Event.objects.values_list("verb", "after")) == [("account.open", {"roles": ["scorer"]})]


def test_changed_roles_open_the_admin_and_are_in_the_trail(desk: Client, candidate: User) -> None:
    sent = {"name": "Ada Abara", "time_zone": "", "groups": [role("finance")], "is_active": "on"}
    desk.post(f"/admin/candidates/user/{candidate.pk}/change/", sent)
    candidate.refresh_from_db()
    assert candidate.is_staff
    assert list(Event.objects.values_list("verb", "before", "after")) == [
        ("account.set_roles", {"roles": []}, {"roles": ["finance"]})
    ]
    desk.post(f"/admin/candidates/user/{candidate.pk}/change/", {**sent, "groups": []})
    candidate.refresh_from_db()
    assert not candidate.is_staff


def test_staff_do_not_change_a_superuser(desk: Client) -> None:
    root = make_user("Root", is_superuser=True, is_staff=True)
    page = BeautifulSoup(desk.get(f"/admin/candidates/user/{root.pk}/change/").content, "html.parser")
    assert page.select("[name=groups], [name=email]") == []
    assert desk.post(f"/admin/candidates/user/{root.pk}/change/", {"name": "x"}).status_code == 403


def test_user_list_is_not_filtered_by_passwords(desk: Client) -> None:
    assert desk.get("/admin/candidates/user/?password__startswith=md5$s").status_code == 400


@pytest.mark.parametrize("people", [1, 3])
def test_user_list_queries(desk: Client, people: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(people):
        make_user("", "scorer")
    with django_assert_num_queries(8):
        desk.get("/admin/candidates/user/")
