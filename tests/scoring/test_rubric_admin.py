"""In the admin, nobody changes a rubric or a policy: saving writes the next version."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from candidates.models import User
from icg_cert.permissions import grant_roles
from scoring import rubrics
from scoring.models import Rubric, ScoringPolicy
from scoring.rubric_form import initial_of
from tests.factories import at, make_factor, make_policy, make_rubric

ADD = reverse("admin:scoring_rubric_add")


@pytest.fixture
def office(client: Client, staff: User) -> Client:
    grant_roles()
    client.force_login(staff)
    return client


@pytest.fixture
def rubric(db: None) -> Rubric:
    factor = make_factor()
    make = make_rubric(factor)
    return rubrics.publish(factor, *rubrics.words_of(make), by=None, at=at(2026, 11, 2))


def test_rubric_add_begins_with_the_words_of_the_current_version(office: Client, rubric: Rubric) -> None:
    response = office.get(ADD, {"factor": rubric.factor_id})
    assert response.context["form"].initial == initial_of(rubric.factor, *rubrics.words_of(rubric))


@pytest.mark.parametrize("factor", ["²", "9" * 5000, "x", ""])
def test_rubric_add_for_no_factor_begins_with_the_first(office: Client, rubric: Rubric, factor: str) -> None:
    assert office.get(ADD, {"factor": factor}).context["form"].initial["factor"] == rubric.factor_id


def test_rubric_add_publishes_the_next_version(office: Client, rubric: Rubric) -> None:
    words = {**initial_of(rubric.factor, *rubrics.words_of(rubric)), "criterion_1_question": "Is it better?"}
    response = office.post(ADD, words)
    newest = Rubric.objects.current().get()

    assert response.url == reverse("admin:scoring_rubric_change", args=[newest.pk])
    assert newest.version == rubric.version + 1
    assert newest.criteria.first().question == "Is it better?"


def test_rubric_add_says_a_refusal_and_keeps_what_was_typed(office: Client, rubric: Rubric) -> None:
    words = initial_of(rubric.factor, *rubrics.words_of(rubric))
    response = office.post(ADD, {**words, "criterion_2_name": "Criterion 1", "level_4_words": "Typed."})

    assert response.context["form"].non_field_errors() == ["Two criteria have the same name. Give each its own."]
    assert "Typed." in response.content.decode()
    assert Rubric.objects.count() == 2


def test_rubric_is_shown_but_not_editable(office: Client, rubric: Rubric) -> None:
    url = reverse("admin:scoring_rubric_change", args=[rubric.pk])
    page = office.get(url).content.decode()
    assert f"{ADD}?factor={rubric.factor_id}" in page
    assert office.post(url, {"version": 9}).status_code == 403


def test_policy_add_adopts_the_next_version(office: Client) -> None:
    make_policy()
    url = reverse("admin:scoring_scoringpolicy_add")
    numbers = dict(office.get(url).context["adminform"].form.initial)
    response = office.post(url, {**numbers, "floor": "2.00"})

    assert response.status_code == 302
    assert list(ScoringPolicy.objects.values_list("version", "floor")) == [(2, Decimal("2.00")), (1, Decimal("1.75"))]


def test_policy_add_refuses_a_floor_above_the_threshold(office: Client) -> None:
    make_policy()
    url = reverse("admin:scoring_scoringpolicy_add")
    numbers = dict(office.get(url).context["adminform"].form.initial)
    response = office.post(url, {**numbers, "floor": "3.00"})

    assert list(response.context["adminform"].form.errors) == ["floor"]
    assert ScoringPolicy.objects.count() == 1


@pytest.mark.parametrize("name", ["rubric", "scoringpolicy"])
def test_finance_may_write_neither(client: Client, finance: User, name: str) -> None:
    grant_roles()
    client.force_login(finance)
    assert client.get(reverse(f"admin:scoring_{name}_add")).status_code == 403
