"""Staff's look at scorers, readings and sheets in the admin, and how a scorer stands down."""

import pytest
from django.test import Client
from django.urls import reverse

from candidates.models import User
from icg_cert import permissions
from scoring.models import Assignment, Scorer
from tests.factories import make_locked, make_policy, make_reading, make_user


@pytest.fixture
def office(staff: User) -> Client:
    permissions.grant_roles()
    client = Client()
    client.force_login(staff)
    return client


def test_scorers_are_kept_in_the_admin(office: Client, scorer: User) -> None:
    person = make_user("New Scorer", "scorer", email="new@example.org")
    data = {"user": person.pk, "district": "Hillside", "employer": "Hillside", "is_active": "on"}
    assert office.post(reverse("admin:scoring_scorer_add"), data).status_code == 302
    assert Scorer.objects.get(user=person).district == "Hillside"
    page = office.get(reverse("admin:scoring_scorer_changelist")).content.decode()
    assert "sol@example.org" in page
    assert "new@example.org" in page


def test_scorer_stands_down_after_a_second_thought(office: Client, scorer: User, other_scorer: User) -> None:
    make_policy()
    make_reading(make_locked(), scorer)
    url = reverse("admin:scoring_scorer_changelist")
    chosen = {"action": "stand_down", "_selected_action": [scorer.scorer.pk]}
    asked = office.post(url, chosen).content.decode()
    assert "Notes on unfinished sheets are thrown away" in asked
    assert Assignment.objects.get().scorer == scorer
    done = office.post(url, {**chosen, "sure": "yes"}, follow=True).content.decode()
    assert "Done. Unfinished readings taken from them: 1." in done
    assert Assignment.objects.get().scorer == other_scorer
    assert not Scorer.objects.get(user=scorer).is_active


def test_a_reading_is_given_to_somebody_else(office: Client, scorer: User, other_scorer: User) -> None:
    make_policy()
    reading = make_reading(make_locked(), scorer).assignment
    url = reverse("admin:scoring_assignment_give_away", args=[reading.pk])
    assert url in office.get(reverse("admin:scoring_assignment_change", args=[reading.pk])).content.decode()
    assert "now with <strong>Sol Sato</strong>" in office.get(url).content.decode()
    assert "Tia Torres reads it now, and is told." in office.post(url, follow=True).content.decode()
    assert Assignment.objects.get().scorer == other_scorer
    assert office.post(url).status_code == 404


def test_a_reading_that_is_final_or_that_nobody_else_may_do_stays(office: Client, scorer: User) -> None:
    make_policy()
    for values, words in ((["4.00"] * 3, "This reading is final"), ([], "Nobody else may do this reading")):
        reading = make_reading(make_locked(), scorer, *values).assignment
        url = reverse("admin:scoring_assignment_give_away", args=[reading.pk])
        assert words in office.post(url, follow=True).content.decode()
        assert Assignment.objects.get(pk=reading.pk).scorer == scorer


def test_giving_a_reading_away_is_for_staff(client: Client, scorer: User, finance: User) -> None:
    reading = make_reading(make_locked(), scorer).assignment
    client.force_login(finance)
    assert client.post(reverse("admin:scoring_assignment_give_away", args=[reading.pk])).status_code == 403


@pytest.mark.parametrize("model", ["assignment", "sheet", "recusal"])
def test_readings_and_sheets_can_only_be_looked_at(model: str, office: Client, scorer: User) -> None:
    sheet = make_reading(make_locked(), scorer, "4.00", "4.00", "4.00")
    assert office.get(reverse(f"admin:scoring_{model}_changelist")).status_code == 200
    assert office.get(reverse(f"admin:scoring_{model}_add")).status_code == 403
    if model == "sheet":
        page = office.get(reverse("admin:scoring_sheet_change", args=[sheet.pk]))
        assert "_save" not in page.content.decode()


@pytest.mark.parametrize("model", ["scorer", "assignment", "sheet", "recusal"])
def test_scorers_and_finance_have_no_business_there(model: str, scorer: User, finance: User) -> None:
    permissions.grant_roles()
    for person in (scorer, finance):
        client = Client()
        client.force_login(person)
        assert client.get(reverse(f"admin:scoring_{model}_changelist")).status_code in (302, 403)
