"""Benchmarks: what may be one, what leads write and sign, and that a consent taken back ends it."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from candidates.models import PolicyText, User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from portfolios import consent_ledger, consents
from portfolios.models import Entry, Hold, Upload
from scoring import benchmarks, calibration, sheets, tasks
from scoring.models import Benchmark, Reference, ReferenceSignature, ReferenceValue, Sheet, Trial
from scoring.sheets import Content, Rated
from tests.factories import (
    at,
    make_benchmark,
    make_factor,
    make_locked,
    make_policy,
    make_registration,
    make_requirement,
    make_scorer,
    make_standard,
    make_text,
    make_upload,
)

WHEN = at(2028, 7, 1, 9)


@pytest.fixture(autouse=True)
def texts(db: None) -> None:
    make_policy()
    make_text(PolicyText.Kind.CONSENT)
    make_text(PolicyText.Kind.TRAINING)


@pytest.fixture
def entry(db: None) -> Entry:
    """Released, a document alone."""
    entry = make_locked(outcome="banked")
    make_upload(entry)
    return entry


def with_film(entry: Entry) -> Upload:
    film = make_upload(entry, make_requirement(entry.factor, "talk", kind="video"), extension=".mp4")
    consent_ledger.give(film, "scoring", releases="Release of 3 May", by=film.owner, at=entry.submitted_at)
    return film


def choose(entry: Entry, lead: User, **fields: str) -> Benchmark:
    return benchmarks.choose(
        entry.pk, **{"use": "calibration", "permission": " By letter. ", **fields}, by=lead, at=WHEN
    )


def refused(action: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        action()
    return caught.value.code


def valued(sheet: Sheet, by: User, value: str = "3.00", why: str = "Because.") -> Sheet:
    ratings = {one.pk: Rated(Decimal(value), why) for one in sheet.rubric.criteria.all()}
    saved = sheets.save(sheet.pk, version=sheet.version, new=Content(ratings), by=by, at=WHEN)
    return sheets.finalise(sheet.pk, version=saved.version, by=by, at=WHEN)


# ---- Choosing


def test_choose_keeps_the_files_and_is_once(entry: Entry, lead: User) -> None:
    made = choose(entry, lead)
    assert choose(entry, lead) == made
    assert (made.entry, made.use, made.position, made.permission) == (entry, "calibration", 1, "By letter.")
    assert Hold.objects.standing().get().entry == entry
    assert Event.objects.filter(verb="benchmark.choose").count() == 1


def test_what_may_be_a_benchmark(entry: Entry, lead: User) -> None:
    """Released, kept, standing; and every film of it allowed for training."""
    make_upload(make_locked())
    make_locked(outcome="banked")
    make_upload(make_locked(make_registration(status="withdrawn"), outcome="banked"))
    make_benchmark()
    assert list(benchmarks.eligible()) == [entry]
    film = with_film(entry)
    assert list(benchmarks.eligible()) == []
    consents.allow_training(film.pk, by=film.owner, at=WHEN)
    assert list(benchmarks.eligible()) == [entry]
    consents.withdraw_training(film.pk, by=film.owner, at=WHEN)
    assert refused(lambda: choose(entry, lead)) == "not-eligible"
    consents.allow_training(film.pk, by=film.owner, at=WHEN)
    assert list(benchmarks.eligible()) == [entry]


def test_choose_is_refused_without_permission_and_for_who_knows_them(entry: Entry, lead: User) -> None:
    assert refused(lambda: choose(entry, lead, permission="  ")) == "no-permission"
    neighbour = make_scorer("", "lead scorer", district="Lakeside School District")
    assert refused(lambda: choose(entry, neighbour)) == "tied"
    assert Benchmark.objects.count() == 0


# ---- What it deserves


def test_reference_is_what_a_lead_finalises_and_a_second_signs(entry: Entry, lead: User) -> None:
    benchmark = choose(entry, lead)
    sheet = benchmarks.write(benchmark.pk, by=lead, at=WHEN)
    assert benchmarks.write(benchmark.pk, by=lead, at=WHEN) == sheet
    valued(sheet, lead, "3.25", "[0:10] asks.")
    made = Reference.objects.get()
    assert (made.version, made.written_by, made.rubric) == (1, lead, sheet.rubric)
    assert set(made.values.values_list("value", "rationale")) == {(Decimal("3.25"), "[0:10] asks.")}
    assert benchmarks.sign(made.pk, by=lead, at=WHEN) == made  # their own name stands there already
    assert list(Reference.objects.in_force()) == []
    other = make_scorer("", "lead scorer")
    for _ in range(2):
        benchmarks.sign(made.pk, by=other, at=WHEN)
    assert list(Reference.objects.in_force()) == [made]
    assert Event.objects.filter(verb="reference.sign").count() == 1


def test_reference_needs_a_reason_for_every_value(entry: Entry, lead: User) -> None:
    sheet = benchmarks.write(choose(entry, lead).pk, by=lead, at=WHEN)
    assert refused(lambda: valued(sheet, lead, "4.00", " ")) == "incomplete"


def test_reference_of_another_version_stands_beside_the_first(lead: User) -> None:
    benchmark = make_benchmark()
    old = Reference.objects.get()
    new = valued(benchmarks.write(benchmark.pk, by=lead, at=WHEN), lead).reference
    assert new.version == 2
    assert list(Reference.objects.in_force()) == [old]
    assert refused(lambda: benchmarks.sign(old.pk, by=lead, at=WHEN)) == "overtaken"
    benchmarks.sign(new.pk, by=old.written_by, at=WHEN)
    assert list(Reference.objects.in_force()) == [new]


@pytest.mark.parametrize("model", [Reference, ReferenceValue, ReferenceSignature])
def test_references_are_never_changed(model: type[Reference]) -> None:
    make_benchmark()
    with pytest.raises(DatabaseError), transaction.atomic():
        model.objects.all().delete()
    names = {Reference: "version", ReferenceValue: "value", ReferenceSignature: "by"}
    with pytest.raises(DatabaseError), transaction.atomic():
        model.objects.update(**{names[model]: 1})


def test_sign_is_refused_to_who_was_measured_by_it(lead: User) -> None:
    make_standard(benchmarks=1)
    benchmark = make_benchmark()
    valued(calibration.begin(make_factor(), by=lead, at=WHEN), lead)
    reference = valued(benchmarks.write(benchmark.pk, by=benchmark.chosen_by, at=WHEN), benchmark.chosen_by).reference
    assert refused(lambda: benchmarks.sign(reference.pk, by=lead, at=WHEN)) == "took-it"


# ---- The end of one


def test_retire_takes_back_what_is_unfinished_and_lets_the_files_go(entry: Entry, lead: User, scorer: User) -> None:
    make_standard(benchmarks=1)
    benchmark = choose(entry, lead)
    reference = valued(benchmarks.write(benchmark.pk, by=lead, at=WHEN), lead).reference
    benchmarks.sign(reference.pk, by=make_scorer("", "lead scorer"), at=WHEN)
    sheet = calibration.begin(make_factor(), by=scorer, at=WHEN)
    assert refused(lambda: benchmarks.retire(benchmark.pk, reason=" ", by=lead, at=WHEN)) == "no-reason"
    done = [benchmarks.retire(benchmark.pk, reason="Too well known.", by=lead, at=WHEN) for _ in range(2)]
    assert done == [True, False]
    assert not Sheet.objects.filter(pk=sheet.pk).exists()
    assert not Hold.objects.standing().exists()
    assert refused(lambda: benchmarks.write(benchmark.pk, by=lead, at=WHEN)) == "retired"
    assert refused(lambda: choose(entry, lead)) == "not-eligible"


def test_a_consent_taken_back_ends_the_benchmark(entry: Entry, lead: User) -> None:
    film = with_film(entry)
    consents.allow_training(film.pk, by=film.owner, at=WHEN)
    benchmark = choose(entry, lead)
    assert tasks.retire_benchmarks() == 0
    consents.withdraw_training(film.pk, by=film.owner, at=WHEN)
    assert [tasks.retire_benchmarks() for _ in range(2)] == [1, 0]
    benchmark.refresh_from_db()
    assert benchmark.retired_reason == "A consent to training was taken back."


def test_a_film_withdrawn_altogether_ends_the_benchmark(entry: Entry, lead: User) -> None:
    film = with_film(entry)
    consents.allow_training(film.pk, by=film.owner, at=WHEN)
    choose(entry, lead)
    consents.withdraw(film.pk, by=film.owner, at=WHEN)
    assert tasks.retire_benchmarks() == 1
    assert Trial.objects.count() == 0
