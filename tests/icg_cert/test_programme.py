"""The programme file holds what programme.md and the programme's own page say, and loads once."""

import json
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db.models import Model

from candidates.models import PolicyText, Programme
from candidates.permissions import ROLES
from icg_cert import programme
from icg_cert.audit.models import Event
from payments.models import Vendor
from portfolios.models import Factor, Requirement
from scoring.models import Criterion, FeedbackStatement, Level, Rubric, ScoringPolicy, Standard
from tests.factories import make_standard

TABLES: list[type[Model]] = [
    Programme, PolicyText, ScoringPolicy, Standard, Factor, Requirement, Rubric, Level, Criterion, FeedbackStatement,
    Group, Event,
]  # fmt: skip


def _load(path: Path = programme.FILE) -> list[str]:
    said = StringIO()
    call_command("load_programme", file=path, stdout=said)
    return said.getvalue().splitlines()


def _rows() -> dict[str, list[dict[str, Any]]]:
    return {table.__name__: list(table._default_manager.order_by("pk").values()) for table in TABLES}


@pytest.fixture
def loaded(db: None) -> None:
    _load()


@pytest.mark.usefixtures("loaded")
def test_calendar_and_fee_are_the_programmes() -> None:
    row = Programme.objects.values().get()
    assert {name: row[name] for name in row if name not in ("id", "name", "contact_email")} == {
        "first_cohort_year": 2017,
        "registration_first": "11-01",
        "registration_last": "01-31",
        "submission_first": "05-01",
        "submission_last": "06-15",
        "release_on": "10-31",
        "release_hour": 9,
        "grace_minutes": 30,
        "fee_minor": 40000,
        "currency": "USD",
        "coaching_percent": 70,
    }


@pytest.mark.usefixtures("loaded")
def test_scoring_policy_is_the_programmes() -> None:
    assert list(ScoringPolicy.objects.values_list()) == [
        (
            ScoringPolicy.objects.get().pk,
            1,
            Decimal("2.75"),
            Decimal("1.75"),
            Decimal("1.25"),
            Decimal("0.25"),
            15,
            3,
            "best",
            67,
            False,
            False,
            30,
            45,
            0,
        )
    ]


@pytest.mark.usefixtures("loaded")
def test_factors_have_the_programmes_requirements_and_limits() -> None:
    """Kind and longest minutes, "?" for optional ones, in the order of programme.md."""
    assert {factor.name: [_short(each) for each in factor.requirements.all()] for factor in _factors()} == {
        "The Impact Cycle": [
            "document", "video 10", "document", "video 5", "video 5", "video 5", "video 5", "video 5", "form",
        ],
        "Instructional Playbook": ["document"],
        "Data": ["document", "video 5?"],
        "Communication Skills": ["video 10", "form", "document"],
        "Leadership": ["document", "document"],
        "Partnership Principles": ["video 10", "form", "document"],
        "System Support": ["document", "document"],
    }  # fmt: skip


def _factors() -> list[Factor]:
    return list(Factor.objects.prefetch_related("requirements"))


def _short(requirement: Requirement) -> str:
    minutes = f" {requirement.max_minutes}" if requirement.max_minutes else ""
    return f"{requirement.kind}{minutes}{'?' if requirement.is_optional else ''}"


@pytest.mark.usefixtures("loaded")
def test_factors_have_the_programmes_criteria() -> None:
    names = {factor.number: list(factor.rubrics.get().criteria.values_list("name", flat=True)) for factor in _factors()}
    assert names == {
        1: ["Identify stage", "Learn stage", "Improve stage"],
        2: ["Contents fit the audience", "Strategies described", "Checklists complete"],
        3: ["Gathers sound data", "Uses data to set goals", "Monitors progress"],
        4: ["Listening", "Questioning", "Dialogue"],
        5: ["Leads oneself", "Leads others"],
        6: ["Equality, choice and voice", "Reflection and dialogue", "Praxis and reciprocity"],
        7: ["Role and time", "Shared understanding with leaders", "Professional learning"],
    }


@pytest.mark.usefixtures("loaded")
def test_every_rubric_has_the_four_levels_in_words_of_its_own() -> None:
    levels = list(Level.objects.order_by("rubric__factor", "-number").values_list("number", "name"))
    assert levels == 7 * [
        (4, "Clear, consistent and convincing evidence"),
        (3, "Clear evidence"),
        (2, "Limited evidence"),
        (1, "Little or no evidence"),
    ]
    assert Level.objects.values("words").distinct().count() == 28


@pytest.mark.usefixtures("loaded")
def test_texts_people_accept_are_there() -> None:
    assert {text.kind: text.version for text in PolicyText.objects.all()} == {
        "attestation": 1,
        "impartiality": 1,
        "no_refunds": 1,
        "consent": 1,
        "training": 1,
    }


@pytest.mark.usefixtures("loaded")
def test_every_role_has_its_group_and_only_the_office_rights_in_the_admin() -> None:
    assert {group.name: group.permissions.exists() for group in Group.objects.all()} == {
        role: role in ("staff", "finance") for role in ROLES
    }


@pytest.mark.django_db
def test_load_twice_changes_nothing() -> None:
    first = _load()
    rows = _rows()
    second = _load()

    assert len(first) == 19
    assert all(line.startswith("added ") for line in first)
    assert second == ["The programme is loaded already; nothing to add."]
    assert _rows() == rows


def _reword_factor() -> None:
    Factor.objects.filter(number=1).update(summary="Ours.")


def _drop_requirement() -> None:
    Requirement.objects.get(factor__number=1, key="strategy-checklist").delete()


def _change_fee() -> None:
    Programme.objects.update(fee_minor=45000)


def _fill_in_address() -> None:
    Vendor.objects.update(remit_to="PO Box 100")


def _reword_statement() -> None:
    FeedbackStatement.objects.filter(factor=None, position=1).update(text="Ours.")


def _adopt_policy() -> None:
    ScoringPolicy.objects.create(
        version=2,
        threshold="3.00",
        floor="1.75",
        adjudication_gap="1.25",
        double_band="0.25",
        double_percent=15,
        double_first_entries=3,
    )


def _adopt_standard() -> None:
    make_standard(benchmarks=5)


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(
    ("change", "name"),
    [
        (_reword_factor, "factor 1 The Impact Cycle"),
        (_drop_requirement, "factor 1 The Impact Cycle"),
        (_change_fee, "the programme"),
        (_fill_in_address, "the vendor details"),
        (_reword_statement, "the general feedback statements"),
        (_adopt_policy, "the scoring policy"),
        (_adopt_standard, "the standard of scorers"),
    ],
)
def test_load_keeps_what_staff_changed_and_says_so(change: Callable[[], None], name: str) -> None:
    change()
    rows = _rows()
    assert _load() == [f"kept {name}: it differs from the file, and what staff wrote stands"]
    assert _rows() == rows


@pytest.mark.usefixtures("loaded")
def test_load_adds_what_is_missing_beside_what_is_there(tmp_path: Path) -> None:
    content = programme.read()
    content["texts"].append({"kind": "attestation", "version": 2, "body": "I state it anew."})
    file = tmp_path / "programme.json"
    file.write_text(json.dumps(content))

    assert _load(file) == ["added the text attestation v2"]
    assert PolicyText.current("attestation").body == "I state it anew."


@pytest.mark.django_db
def test_load_refuses_a_file_of_another_zone(tmp_path: Path) -> None:
    file = tmp_path / "programme.json"
    file.write_text(json.dumps({**programme.read(), "zone": "Europe/Berlin"}))
    with pytest.raises(CommandError, match=r"in Europe/Berlin, but this portal runs in America/Chicago"):
        _load(file)
    assert not Programme.objects.exists()


@pytest.mark.django_db
def test_load_of_a_mistaken_file_leaves_nothing_behind(tmp_path: Path) -> None:
    content = programme.read()
    content["factors"][6]["requirements"][0]["kind"] = "dance"
    file = tmp_path / "programme.json"
    file.write_text(json.dumps(content))
    with pytest.raises(CommandError, match="'dance' is not a valid choice"):
        _load(file)
    assert not Programme.objects.exists()
