"""What scorers sign and whom either side declares: kept as it was, at work at once, and telling nobody who scores."""

import pytest
from bs4 import BeautifulSoup
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from candidates.models import PolicyText, User
from icg_cert import permissions
from icg_cert.audit.models import Event
from icg_cert.lib import clock
from icg_cert.lib.refusal import Refused
from scoring import assignment, handover, qualifications, statements
from scoring.models import Assignment, DeclaredTie, Qualification, ScoringPolicy, Statement
from tests.factories import (
    at,
    make_cycle,
    make_factor,
    make_locked,
    make_policy,
    make_reading,
    make_registration,
    make_scorer,
    make_text,
)

WHEN = at(2027, 7, 1, 9)


@pytest.fixture(autouse=True)
def policy(db: None) -> ScoringPolicy:
    clock.jump_to(WHEN)
    return make_policy()


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def declare(by: User, name: str, email: str = "", relation: str = "coached_me") -> int:
    return handover.declare(name=name, email=email, relation=relation, by=by, at=WHEN)


def refused(action: object) -> str:
    with pytest.raises(Refused) as refusal:
        action()  # type: ignore[operator]
    return refusal.value.code


# ---- Statements


def test_sign_keeps_the_text_the_name_and_the_time(scorer: User) -> None:
    text, cycle = make_text(PolicyText.Kind.IMPARTIALITY), make_cycle()
    made = [statements.sign(cycle.pk, version=1, signature=" Sol  Sato ", by=scorer, at=WHEN) for _ in range(2)]
    assert made[0] == made[1]
    row = Statement.objects.get()
    assert (row.scorer, row.cycle, row.text, row.signature, row.signed_at) == (scorer, cycle, text, "Sol  Sato", WHEN)
    assert Event.objects.filter(verb="statement.sign").count() == 1
    with pytest.raises(DatabaseError), transaction.atomic():
        Statement.objects.update(signature="Somebody")


def test_sign_is_refused_for_another_version_or_name(scorer: User) -> None:
    cycle = make_cycle()
    assert refused(lambda: statements.sign(cycle.pk, version=1, signature="Sol Sato", by=scorer, at=WHEN)) == "no-text"
    make_text(PolicyText.Kind.IMPARTIALITY, version=2)
    tries = [(1, "Sol Sato"), (2, "Tia Torres")]
    codes = [
        refused(lambda v=v, n=n: statements.sign(cycle.pk, version=v, signature=n, by=scorer, at=WHEN))
        for v, n in tries
    ]
    assert codes == ["text-changed", "not-your-name"]
    assert not Statement.objects.exists()


def test_statement_page_asks_once(scorer: User) -> None:
    make_text(PolicyText.Kind.IMPARTIALITY, body="I judge by the evidence.")
    make_cycle()
    client, url = signed_in(scorer), "/scoring/statement/2027/"
    assert "I judge by the evidence." in client.get(url).content.decode()
    assert client.post(url, {"version": 1, "signature": "S."}).status_code == 409
    assert client.post(url, {"version": 1, "signature": "Sol Sato"}).headers["Location"] == "/ties/"
    page = BeautifulSoup(client.get(url).content, "html.parser")
    assert "Signed" in page.select_one("main .state").get_text()  # type: ignore[union-attr]
    assert page.select("main form") == []


def test_the_queue_asks_for_the_signature_while_the_policy_does(scorer: User) -> None:
    make_text(PolicyText.Kind.IMPARTIALITY)
    cycle, client = make_cycle(), signed_in(scorer)
    link = 'href="/scoring/statement/2027/"'
    assert link not in client.get("/scoring/").content.decode()
    ScoringPolicy.objects.update(requires_statement=True)
    assert link in client.get("/scoring/").content.decode()
    assert statements.due(scorer, cycle.releases_at) == []
    statements.sign(cycle.pk, version=1, signature="Sol Sato", by=scorer, at=WHEN)
    assert link not in client.get("/scoring/").content.decode()


# ---- Ties


@pytest.mark.parametrize(
    ("name", "email"), [("Sol Sato", ""), ("My coach", "SOL@example.org"), ("Elsewhere District", "")]
)
def test_declare_by_a_candidate_takes_unfinished_readings_away_at_once(
    name: str, email: str, candidate: User, scorer: User
) -> None:
    other = make_scorer("Una Unger", district="Harbor Schools")
    registration = make_registration(candidate)
    unfinished = make_reading(make_locked(registration, 1), scorer).assignment.entry
    final = make_reading(make_locked(registration, 2), scorer, "4.00", "4.00", "4.00").assignment
    strangers = make_reading(make_locked(), scorer).assignment
    assert declare(candidate, name, email) == 1
    assert unfinished.assignments.get().scorer == other
    assert set(Assignment.objects.filter(scorer=scorer)) == {final, strangers}
    assert declare(candidate, name, email) == 0
    assert DeclaredTie.objects.count() == 1


def test_declare_by_a_scorer_of_a_person_or_a_place(candidate: User, scorer: User, other_scorer: User) -> None:
    one, two = make_registration(candidate), make_registration(school="Hillside Elementary")
    for registration in (one, two):
        make_reading(make_locked(registration), scorer)
    assert declare(scorer, "ada ABARA", relation="coached_by_me") == 1
    assert declare(scorer, "Hillside Elementary", relation="place") == 1
    assert {row.scorer for row in Assignment.objects.all()} == {other_scorer}


def test_declared_before_anything_is_given_out(candidate: User, scorer: User, other_scorer: User, staff: User) -> None:
    third = make_scorer("Una Unger", district="Harbor Schools")
    declare(candidate, "Sol Sato")
    entry = make_locked(make_registration(candidate))
    assignment.assign_cycle(entry.cycle_id, by=staff, at=WHEN)
    assert {row.scorer for row in entry.assignments.all()} == {other_scorer, third}


def test_declare_has_an_end(candidate: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "MOST_TIES", 1)
    declare(candidate, "Somebody")
    assert refused(lambda: declare(candidate, "Somebody Else")) == "too-many"


def test_the_page_of_ties_says_the_same_whether_or_not_they_score(candidate: User, scorer: User) -> None:
    make_reading(make_locked(make_registration(candidate)), scorer)
    client = signed_in(candidate)
    said = []
    for name in ("Sol Sato", "Nobody At All"):
        data = {"name": name, "email": "", "relation": "coached_me"}
        page = BeautifulSoup(client.post("/ties/", data, follow=True).content, "html.parser")
        said.append([note.get_text() for note in page.select(".notice")])
    assert said[0] == said[1]
    assert [one.name for one in DeclaredTie.objects.all()] == ["Nobody At All", "Sol Sato"]
    assert client.post("/ties/", {"name": "", "relation": "close"}).status_code == 409


# ---- Qualifications


def test_qualify_and_lapse_keep_what_was_and_why(scorer: User, staff: User) -> None:
    factor = make_factor(1)
    made = [qualifications.qualify(scorer, factor, reason=" Eight of ten. ", by=staff, at=WHEN) for _ in range(2)]
    assert made[0] == made[1]
    assert refused(lambda: qualifications.lapse(made[0].pk, reason=" ", by=staff, at=WHEN)) == "no-reason"
    for reason in ("Drifted.", "Again."):
        qualifications.lapse(made[0].pk, reason=reason, by=staff, at=WHEN)
    again = qualifications.qualify(scorer, factor, reason="Nine of ten.", by=staff, at=WHEN)
    rows = Qualification.objects.order_by("pk").values_list("reason", "lapsed_reason", "lapsed_at")
    assert list(rows) == [("Eight of ten.", "Drifted.", WHEN), ("Nine of ten.", "", None)]
    assert list(Qualification.objects.in_force(WHEN)) == [again]
    with pytest.raises(IntegrityError), transaction.atomic():
        Qualification.objects.create(scorer=scorer, factor=factor, qualified_at=WHEN, reason="Twice.")


def test_qualifications_are_kept_in_the_admin(scorer: User, staff: User) -> None:
    permissions.grant_roles()
    client, factor = signed_in(staff), make_factor(1)
    add = reverse("admin:scoring_qualification_add")
    assert client.post(add, {"scorer": scorer.pk, "factor": factor.pk, "reason": ""}).status_code == 200
    client.post(add, {"scorer": scorer.pk, "factor": factor.pk, "reason": "Eight of ten."})
    made = Qualification.objects.get()
    change = reverse("admin:scoring_qualification_change", args=[made.pk])
    assert client.post(change, {"lapsed_reason": ""}).status_code == 200
    client.post(change, {"lapsed_reason": "Drifted."})
    made.refresh_from_db()
    assert made.lapsed_at
    assert (made.lapsed_at > made.qualified_at > WHEN, made.lapsed_reason) == (True, "Drifted.")
    assert 'name="lapsed_reason"' not in client.get(change).content.decode()
