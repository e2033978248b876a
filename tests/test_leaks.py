"""Who could learn what they may not: scorers who a candidate is, candidates what they will be told.

Scoring is blind, and nobody hears a result before its release. Both are tried at every address there is, with every key
in the database, as every link leads, and with whatever somebody might post.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from itertools import chain
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from candidates.models import Cycle, PolicyText, Registration, User
from icg_cert.lib import clock
from icg_cert.mail.models import Message
from portfolios import storage
from portfolios.models import Entry, Requirement, Upload
from scoring import dry_runs, holds, release
from scoring.models import DeclaredTie, FeedbackStatement, Rating, Recusal, Sheet
from tests.crawling import Values, addresses, crawl, said, steady
from tests.factories import (
    at,
    make_attempt,
    make_cycle,
    make_evidence_request,
    make_ledger_entry,
    make_locked,
    make_policy,
    make_programme,
    make_reading,
    make_registration,
    make_requirement,
    make_scored_entry,
    make_scorer,
    make_text,
    make_upload,
    make_user,
)
from tests.portfolios.handing_in import prepare

SCORING = at(2027, 7, 1, 9)
NAMES = ["Quenelle", "Zwiebel", "Umbrella", "Marsupial", "Gondola", "Xylophone", "secret.example", "holiday"]
SCORES = ["Zebraword", "Wombatword", "3.042", "73/24", "21.292"]
NEVER = ["Yakword"]  # a scorer's notes are theirs


@pytest.fixture
def registration(db: None) -> Registration:
    """Somebody with a name, an address, a school and a district that occur nowhere else, and a paid fee."""
    clock.jump_to(SCORING)
    make_programme()
    make_policy()
    for kind in PolicyText.Kind.values:
        make_text(kind)
    found = make_registration(
        make_user("Quenelle Zwiebel", email="quenelle@secret.example"),
        district="Umbrella District",
        employer="Marsupial Schools",
        school="Gondola Elementary",
        supervisor_name="Xylophone Boss",
        supervisor_email="boss@secret.example",
    )
    make_attempt(found, state="paid")
    make_ledger_entry(found)
    make_evidence_request(found, pdf=b"%PDF-1.7")
    return found


def handed_in(registration: Registration, number: int) -> Entry:
    """An entry with a document and a film, as they came and as scorers get them."""
    entry = make_locked(registration, number)
    video = make_requirement(entry.factor, "talk", kind=Requirement.Kind.VIDEO)
    files = [
        make_upload(entry, filename="Quenelle Zwiebel holiday.pdf"),
        make_upload(entry, video, filename="Zwiebel holiday.mp4", extension=".mp4"),
    ]
    for upload in files:
        storage.default().put(upload.storage_key, BytesIO(b"as it came, by Zwiebel"), content_type="video/mp4")
    prepare(files[0], SCORING, "clean")
    for kind in ("film", "poster", "captions"):
        prepare(files[1], SCORING, kind)
    return entry


def keys() -> Values:
    """Keys of the candidate's rows that an address could ask for, and the code that scorers see."""
    registration = Registration.objects.get(user__name="Quenelle Zwiebel")
    theirs = {"assignment__entry__registration": registration}
    numbers = {0, 1, 2027, registration.pk, registration.user_id, *Cycle.objects.values_list("pk", flat=True)}
    numbers |= set(Entry.objects.filter(registration=registration).order_by("pk").values_list("pk", flat=True)[:2])
    numbers |= set(Sheet.objects.filter(**theirs).order_by("pk").values_list("pk", flat=True)[:2])
    uploads = list(Upload.objects.order_by("created_at", "pk").values_list("pk", flat=True)[:2])
    return {
        "pk": [*sorted(numbers), *uploads],
        "upload": uploads,
        "year": [2027],
        "number": [1],
        "requirement_id": list(Requirement.objects.values_list("pk", flat=True)[:1]),
        "code": [registration.code],
        "role": ["first"],
        "rule": ["coverage"],
        "exception": [1],
        "purpose": ["scoring"],
        "provider": ["stripe"],
        "token": ["x"],
        "paper": ["x"],
        "seat": [1],
        "public_id": [uploads[0]],
    }


def looked_at(client: Client, *starts: str) -> Iterator[tuple[str, str]]:
    """Every answer one can get by links, by guessing, by searching."""
    guessed = addresses(keys())
    searched = [
        f"{url}?q=e&page=2&show=x&cycle=2027&o=1" for url in ("/scoring/", "/scoring/board/", "/dashboard/", "/")
    ]
    for url, response in crawl(client, [*starts, *guessed, *searched, "/admin/", "/nowhere/"]):
        yield url, said(response)


def posted_to(client: Client) -> Iterator[tuple[str, str]]:
    """Every answer to posting nonsense; undone each time."""
    nonsense = {"value": "x", "version": "x", "reason": "\0", "signature": "x", "name": "x", "q": "e"}
    for url in addresses(keys()):
        with transaction.atomic():
            yield f"POST {url}", said(client.post(url, nonsense))
            transaction.set_rollback(True)


def leaks(words: list[str], *answers: Iterator[tuple[str, str]]) -> dict[str, list[str]]:
    """Which answers hold which of the words."""
    found = {}
    for url, text in chain(*answers):
        if held := [word for word in words if word.casefold() in text.casefold()]:
            found[url] = held
    return found


# Sign-in answers each visit; forms for strangers and papers carry the instant at which they were made.
MOVING = r"/accounts/|/quotes/|.*\.pdf$"


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.mark.parametrize("role", ["scorer", "lead"])
def test_nothing_a_scorer_can_get_names_a_candidate(
    registration: Registration, role: str, scorer: User, other_scorer: User, lead: User
) -> None:
    """With a sheet in progress, one that is final, one to decide; a tie and a recusal of somebody else."""
    reader = {"scorer": scorer, "lead": lead}[role]
    make_reading(handed_in(registration, 1), reader)
    make_reading(handed_in(registration, 2), reader, "3.00", "3.00", "3.00")
    decided = handed_in(registration, 3)
    for one, number, value in ((scorer, "first", "4.00"), (other_scorer, "second", "1.00")):
        make_reading(decided, one, value, value, value, role=number)
    make_reading(decided, lead, role="adjudication")
    elsewhere = make_scorer("Una Unger")
    Recusal.objects.create(scorer=elsewhere, registration=registration, reason="Zwiebel", declared_at=SCORING)
    about = {"name": "Umbrella District", "relation": "place", "declared_at": SCORING}
    DeclaredTie.objects.create(declared_by=registration.user, **about)
    client = signed_in(reader)
    assert leaks(NAMES, looked_at(client, "/scoring/", "/scoring/board/"), posted_to(client)) == {}


@pytest.mark.parametrize("role", ["scorer", "lead"])
def test_no_mail_to_a_scorer_names_a_candidate(registration: Registration, role: str, request: Any) -> None:
    reader = request.getfixturevalue(role)
    make_reading(handed_in(registration, 1), reader)
    for message in Message.objects.filter(user=reader):
        assert not [word for word in NAMES if word in message.subject + message.body_text + message.body_html]


# ---- Candidates before the release


def score(registration: Registration) -> Cycle:
    """Everything is read, checked, prepared and approved; one more is held. All that is left is the instant."""
    statement = FeedbackStatement.objects.create(position=1, text="Wombatword, always.")
    for number in range(1, 8):
        entry = Entry.objects.get(registration=registration, factor__number=number)
        for role in ("first", "second"):
            sheet = make_reading(entry, make_scorer(), "3.00", "3.00", "3.25", role=role)
            sheet.feedback.add(statement)
            Sheet.objects.filter(pk=sheet.pk).update(comment="Zebraword.")
    Rating.objects.update(evidence="Yakword.")
    Rating.objects.filter(sheet__assignment__role="second", criterion__position=3).update(value="3.00")
    make_scored_entry(make_registration(), 1)
    cycle, staff = make_cycle(2027), [make_user("", "staff") for _ in range(3)]
    when = cycle.closes_at + timedelta(hours=2)
    dry_runs.run(cycle.pk, by=staff[0], at=when)
    seen = release.prepare(cycle.pk, releases_at=cycle.releases_at, by=staff[0], at=when).prepared_at
    release.approve(cycle.pk, seen=seen, by=staff[1], at=when)
    return cycle


OWN = ("/dashboard/", "/results/", "/entries/", "/calendar.ics")


def mine(user: User) -> Iterator[tuple[str, str]]:
    """Where links lead a candidate."""
    return ((url, said(response)) for url, response in crawl(signed_in(user), OWN))


def test_a_candidate_sees_nothing_of_what_is_scored_before_its_release(registration: Registration) -> None:
    """To the byte: their portal is the same whether nothing of theirs was read, or everything was and is approved."""
    for number in range(1, 8):
        handed_in(registration, number)
    before = {url: steady(text) for url, text in looked_at(signed_in(registration.user), *OWN)}
    cycle = score(registration)
    after = dict(looked_at(signed_in(registration.user), *OWN))
    assert leaks(SCORES + NEVER, iter(after.items()), posted_to(signed_in(registration.user))) == {}
    both = {url for url in before.keys() & after if not re.match(MOVING, url)}
    assert {url for url in both if before[url] != steady(after[url])} == set()
    clock.jump_to(cycle.releases_at - timedelta(minutes=10))  # it goes on by itself
    assert release.release_due(clock.now()) == 0
    assert leaks(SCORES + NEVER, mine(registration.user)) == {}
    assert not Message.objects.filter(user=registration.user).exists()
    clock.jump_to(cycle.releases_at)
    release.release_due(cycle.releases_at)
    shown = leaks(SCORES, mine(registration.user))
    assert shown[f"/results/{cycle.pk}/"] == SCORES
    assert leaks(NEVER, mine(registration.user)) == {}


def test_a_candidate_who_is_held_back_or_has_not_paid_sees_nothing_after_it_either(registration: Registration) -> None:
    for number in range(1, 8):
        handed_in(registration, number)
    cycle = score(registration)
    staff = make_user("", "staff")
    hear_on = (cycle.releases_at + timedelta(days=9)).date()
    holds.hold(cycle.pk, registration.pk, reason="Yakword", hear_on=hear_on, by=staff, at=clock.now())
    clock.jump_to(cycle.releases_at)
    release.release_due(cycle.releases_at)
    assert leaks(SCORES + NEVER, mine(registration.user)) == {}
    sent = Message.objects.get(user=registration.user)
    assert not [word for word in SCORES + NEVER if word in sent.subject + sent.body_text + sent.body_html]
    Registration.objects.filter(pk=registration.pk).update(payment_status=Registration.Payment.PO_COMMITTED)
    seen = dry_runs.run(cycle.pk, by=staff, at=clock.now()).rows.get(registration=registration).digest
    holds.lift(cycle.pk, registration.pk, seen=seen, by=staff, at=clock.now())
    assert release.release_due(clock.now()) == 1
    assert leaks(SCORES + NEVER, mine(registration.user)) == {}
