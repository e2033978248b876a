"""Benchmarks among live readings: given as asked, told apart by nothing; and what follows when somebody drifts."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from candidates.models import Cycle, User
from icg_cert.audit.models import Event
from icg_cert.lib import clock
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from scoring import assignment, board, by_hand, calibration, handover, pairs, queue, readings, sheets, tasks, watch
from scoring.models import Assignment, Benchmark, Pause, Scorer, Sheet, Trial
from scoring.sheets import Content, Rated
from tests.factories import (
    at,
    make_benchmark,
    make_cycle,
    make_factor,
    make_locked,
    make_policy,
    make_reading,
    make_registration,
    make_release,
    make_scorer,
    make_standard,
    make_upload,
)
from tests.threads import run_at_once

WHEN = at(2027, 7, 1, 9)
RIGHT, WRONG = ("3.00", "3.00", "3.00"), ("1.00", "3.00", "1.00")
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def rules(db: None) -> None:
    make_policy()
    clock.jump_to(WHEN)


def seed(*values: str, factor: int = 1) -> Benchmark:
    return make_benchmark(*values, factor=factor, use=Benchmark.Use.SEED, entry=_old(factor))


def _old(factor: int) -> Any:
    """Of the cycle before, whose results are told."""
    return make_locked(None, factor, cycle=make_cycle(2026), outcome="banked")


def watched(**fields: Any) -> None:
    """Two values beyond one in four off, on one benchmark."""
    make_standard(**{"seed_every": 2, "watch_last": 2, "watch_fewest": 3, "off_percent": 25, **fields})


def finish(sheet: Sheet, *values: str, when: datetime = WHEN) -> Sheet:
    ratings = {
        one.pk: Rated(Decimal(value), "Seen.") for one, value in zip(sheet.rubric.criteria.all(), values, strict=True)
    }
    by = sheet.task.scorer
    saved = sheets.save(sheet.pk, version=sheet.version, new=Content(ratings), by=by, at=when)
    return sheets.finalise(sheet.pk, version=saved.version, by=by, at=when)


def give_out(entries: int, staff: User, when: datetime = WHEN) -> Cycle:
    for _ in range(entries):
        make_upload(make_locked())
    cycle = make_cycle()
    assignment.assign_cycle(cycle.pk, by=staff, at=when)
    return cycle


def seeds_of(scorer: User) -> list[Trial]:
    return list(Trial.objects.filter(scorer=scorer, use="seed"))


def refused(action: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        action()
    return caught.value.code


# ---- Among live readings


@pytest.mark.parametrize(("held", "expected"), [(1, 0), (2, 1), (3, 1), (4, 2), (7, 3)])
def test_one_for_every_so_many_readings(held: int, expected: int, scorer: User, staff: User) -> None:
    watched()
    for _ in range(5):
        seed()
    give_out(held, staff)
    mine = seeds_of(scorer)
    assert Assignment.objects.filter(scorer=scorer).count() == held
    assert (len(mine), {one.cycle for one in mine} - {make_cycle()}) == (expected, set())
    assert Message.objects.get(event="assigned").context["count"] == str(held + expected)


def test_none_where_the_standard_asks_for_none(scorer: User, staff: User) -> None:
    make_standard()
    seed()
    give_out(4, staff)
    assert seeds_of(scorer) == []


def test_what_could_not_be_sown_comes_with_later_readings(scorer: User, staff: User) -> None:
    watched()
    give_out(4, staff)
    assert seeds_of(scorer) == []
    seed()
    seed()
    seed()
    give_out(1, staff)
    assert len(seeds_of(scorer)) == 2


def test_never_on_adjudications(scorer: User, other_scorer: User) -> None:
    watched(seed_every=1)
    seed()
    entry = make_locked()
    make_reading(entry, scorer, *RIGHT)
    make_reading(entry, other_scorer, "1.00", "1.00", "1.00", role="second")
    assignment.follow_up(entry.pk, by=None, at=WHEN)
    assert Assignment.objects.filter(role="adjudication").count() == 1
    assert Trial.objects.filter(use="seed").count() == 0


@pytest.mark.django_db(transaction=True)
def test_sown_once_when_two_readings_come_at_once(scorer: User, lead: User) -> None:
    watched(seed_every=1)
    seed()
    other = make_scorer()
    for _ in range(2):
        make_reading(make_locked(), other, *RIGHT)
    keys = list(Assignment.objects.values_list("entry", flat=True))
    make_policy(version=2, double_band=Decimal("4.00"))
    works = iter(keys)
    run_at_once(lambda: assignment.follow_up(next(works), by=None, at=WHEN), times=2)
    assert Assignment.objects.filter(scorer=scorer).count() == 2
    assert len(seeds_of(scorer)) == 1


def test_nothing_tells_a_benchmark_apart(scorer: User, staff: User) -> None:
    """Queue, sheet, page before finalising and page after: the same words once keys and codes are the same."""
    watched()
    seed()
    give_out(2, staff)
    client = Client()
    client.force_login(scorer)
    found = list(queue.open_sheets(scorer))
    seeded = next(one for one in found if one.trial)
    live = next(one for one in found if one.assignment)
    assert re.fullmatch(r"[A-Z0-9]{8}", seeded.code)
    assert re.fullmatch(r"[A-Z0-9]{8}", live.code)
    rows = re.findall(r'<li class="task">.*?</li>', client.get("/scoring/").content.decode(), re.DOTALL)
    assert len({_plain(row) for row in rows}) == 1
    for name in ("sheet", "sheet-finalise", "sheet-recuse"):
        assert _page(client, name, seeded).splitlines() == _page(client, name, live).splitlines(), name
    for one in (seeded, live):
        finish(one, *RIGHT)
    assert _page(client, "sheet", seeded) == _page(client, "sheet", live)
    rows = re.findall(r'<li class="task">.*?</li>', client.get("/scoring/").content.decode(), re.DOTALL)
    assert len({_plain(row) for row in rows}) == 2  # one is open still
    assert client.get(reverse("scoring:calibration-feedback", args=[seeded.pk])).status_code == 404
    assert client.get(reverse("scoring:calibration-feedback", args=[live.pk])).status_code == 404
    assert [word for word in ("benchmark", "reference") if word in _page(client, "sheet", seeded).lower()] == []


UNLIKE = ("Expires", "Content-Length", "X-Request-ID")


def _page(client: Client, name: str, sheet: Sheet) -> str:
    response = client.get(reverse(f"scoring:{name}", args=[sheet.pk]))
    assert response.status_code == 200
    heads = {key: value for key, value in response.headers.items() if key not in UNLIKE}
    policy = re.sub(r"nonce-[^']+", "", str(heads))
    return policy + _plain(response.content.decode())


def _plain(page: str) -> str:
    """Without keys, codes and tokens, which differ from sheet to sheet."""
    page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)
    page = re.sub(r"\b[A-Z0-9]{8}\b", "CODE", page)
    page = re.sub(r"(sheets/|data-sheet=\"|file-)[0-9a-f-]+", r"\1KEY", page)
    return re.sub(r'nonce="[^"]+"', "", page)


def test_a_benchmark_finalised_leads_back_to_the_queue_like_any_other(scorer: User, staff: User) -> None:
    watched()
    seed()
    give_out(2, staff)
    [trial] = seeds_of(scorer)
    client = Client()
    client.force_login(scorer)
    finish_by_page = client.post(reverse("scoring:sheet-finalise", args=[trial.sheet.pk]), {"version": 0})
    assert finish_by_page.status_code == 409
    for one in trial.sheet.rubric.criteria.all():
        trial.sheet.ratings.create(criterion=one, value="3.00")
    done = client.post(reverse("scoring:sheet-finalise", args=[trial.sheet.pk]), {"version": 0})
    assert (done.status_code, done["Location"]) == (302, "/scoring/")


def test_a_benchmark_among_readings_never_counts(scorer: User, lead: User, staff: User) -> None:
    watched()
    seed()
    cycle = give_out(2, staff)
    before = _world(cycle, lead)
    [trial] = seeds_of(scorer)
    finish(trial.sheet, "0.75", "0.75", "0.75")
    assert _world(cycle, lead) == before


def _world(cycle: Cycle, viewer: User) -> object:
    figures, counted = pairs.figures(cycle, viewer), board.board(cycle, WHEN)
    judged = readings.judged(readings.to_be_read(cycle))
    return figures.everything, dict(counted.stages), counted.scorers, judged, assignment.follow_up_due()


def test_recuse_from_a_benchmark_looks_like_any_other(scorer: User, staff: User) -> None:
    watched()
    seed()
    give_out(2, staff)
    handover.recuse(seeds_of(scorer)[0].sheet.pk, reason="", by=scorer, at=WHEN)
    assert seeds_of(scorer) == []
    assert Assignment.objects.filter(scorer=scorer).count() == 2


# ---- Drift


def drifted(scorer: User, staff: User, live: int = 2) -> Cycle:
    """`scorer` reads some entries, then benchmarks wrongly."""
    watched()
    for _ in range(3):
        seed()
    cycle = give_out(live, staff)
    for one in list(queue.open_sheets(scorer)):
        finish(one, *(WRONG if one.trial else RIGHT), when=WHEN - MINUTE)
    return cycle


def test_who_drifts_is_paused_once_and_everybody_is_told(scorer: User, staff: User, lead: User) -> None:
    drifted(scorer, staff)
    assert watch.drifting(WHEN) == [(scorer.pk, make_factor().pk)]
    assert [tasks.pause_drifting() for _ in range(2)] == [1, 0]
    made = Pause.objects.get()
    assert (made.scorer, made.factor, made.since) == (scorer, make_factor(), None)
    assert made.began_at - WHEN < MINUTE
    assert (
        made.reason == "Of the last 3 values on benchmarks 2 are off; their mean lies 1.33 points below the reference."
    )
    assert made.figures == {"values": 3, "off": 2, "severity": [-4, 3]}
    leads = {one.user.email for one in Scorer.objects.leads()}
    mails = {(one.event, one.to): one for one in Message.objects.exclude(event="assigned")}
    assert lead.email in leads
    assert set(mails) == {("scoring_paused", scorer.email), *(("scorer_paused", one) for one in leads)}
    assert Event.objects.filter(verb="scorer.pause").count() == 1
    for one in mails.values():
        names = [lead.name, scorer.name, *Assignment.objects.values_list("entry__registration__user__name", flat=True)]
        assert [name for name in names if name in one.body_text] == []


@pytest.mark.django_db(transaction=True)
def test_paused_once_when_two_jobs_meet(scorer: User, staff: User, lead: User) -> None:
    drifted(scorer, staff)
    done = run_at_once(lambda: watch.pause((scorer.pk, make_factor().pk), at=WHEN), times=3)
    assert sorted(done) == [False, False, True]
    assert Pause.objects.count() == Message.objects.filter(event="scoring_paused").count() == 1


def test_who_reads_well_is_not_paused(scorer: User, staff: User) -> None:
    drifted(scorer, staff, live=1)  # no benchmark with a single reading
    assert tasks.pause_drifting() == 0
    assert watch.pause((scorer.pk, make_factor().pk), at=WHEN) is False


def test_paused_unfinished_readings_of_the_factor_go_to_others(scorer: User, staff: User) -> None:
    watched(seed_every=1)
    for _ in range(5):
        seed()
    make_locked(None, 2)
    cycle = give_out(2, staff)
    first = seeds_of(scorer)[0]
    finish(first.sheet, *WRONG)
    other = make_scorer()
    assert tasks.pause_drifting() == 1
    held = Assignment.objects.filter(entry__cycle=cycle)
    assert set(held.values_list("scorer", "entry__factor__number")) == {(other.pk, 1), (scorer.pk, 2)}
    assert [one.sheet.status for one in seeds_of(scorer) if one.entry.factor.number == 1] == ["final"]
    assert by_hand.options(held.filter(scorer=other)[0].entry, "first", WHEN + MINUTE)[-1].tie == "paused"
    give_out(1, staff, WHEN + MINUTE)
    assert Assignment.objects.filter(scorer=scorer, entry__factor__number=1).count() == 0


def test_recent_readings_of_a_paused_scorer_are_read_once_more(scorer: User, staff: User) -> None:
    cycle = drifted(scorer, staff)
    make_scorer()
    tasks.pause_drifting()
    firsts = Assignment.objects.filter(scorer=scorer, entry__cycle=cycle)
    assert watch.to_read_once_more(WHEN) == sorted(firsts.values_list("entry", flat=True))
    assert [tasks.read_once_more() for _ in range(2)] == [2, 0]
    added = Assignment.objects.filter(entry__cycle=cycle, role="second")
    assert {one.reason for one in added} == {"read once more"}
    assert set(added.values_list("entry", flat=True)) == set(firsts.values_list("entry", flat=True))
    assert scorer.pk not in added.values_list("scorer", flat=True)


@pytest.mark.django_db(transaction=True)
def test_read_once_more_by_two_jobs_is_one_reading(scorer: User, staff: User) -> None:
    drifted(scorer, staff)
    make_scorer()
    make_scorer()
    watch.pause((scorer.pk, make_factor().pk), at=WHEN)
    key = watch.to_read_once_more(WHEN)[0]
    assert sorted(run_at_once(lambda: watch.read_once_more(key, at=WHEN), times=3)) == [False, False, True]


def test_read_once_more_waits_for_somebody_who_may(scorer: User, staff: User) -> None:
    drifted(scorer, staff)
    tasks.pause_drifting()
    assert tasks.read_once_more() == 0
    assert len(watch.to_read_once_more(WHEN)) == 2
    make_scorer()
    assert tasks.read_once_more() == 2


@pytest.mark.parametrize(
    ("final_at", "is_read_again"),
    [(-MINUTE, False), (timedelta(0), False), (MINUTE, True), (2 * MINUTE, True), (3 * MINUTE, False)],
)
def test_only_what_lies_between_the_last_good_check_and_the_pause(
    final_at: timedelta, is_read_again: bool, scorer: User
) -> None:
    make_cycle()
    good = WHEN - 2 * MINUTE
    Pause.objects.create(scorer=scorer, factor=make_factor(), began_at=WHEN, since=good, reason="Drift.")
    sheet = make_reading(make_locked(), scorer, *RIGHT)
    Sheet.objects.filter(pk=sheet.pk).update(finalised_at=good + final_at)
    assert bool(watch.to_read_once_more(WHEN)) is is_read_again


def test_never_what_is_released_withdrawn_or_read_twice(scorer: User, other_scorer: User) -> None:
    Pause.objects.create(scorer=scorer, factor=make_factor(), began_at=at(2029, 1, 1), reason="Drift.")
    make_reading(make_locked(outcome="banked"), scorer, *RIGHT)
    make_reading(make_locked(make_registration(status="withdrawn")), scorer, *RIGHT)
    make_reading(make_locked(factor=2), scorer, *RIGHT)
    twice = make_locked()
    make_reading(twice, scorer, *RIGHT)
    make_reading(twice, other_scorer, *RIGHT, role="second")
    released = make_locked(cycle=make_cycle(2028))
    make_reading(released, scorer, *RIGHT)
    make_release(released.cycle, "released")
    assert watch.to_read_once_more(at(2029, 1, 2)) == []
    make_reading(make_locked(), scorer, *RIGHT)
    assert len(watch.to_read_once_more(at(2029, 1, 2))) == 1


# ---- Back again


def test_lift_waits_for_a_calibration_while_there_are_benchmarks(scorer: User, staff: User, lead: User) -> None:
    drifted(scorer, staff)
    tasks.pause_drifting()
    factor = make_factor()
    assert refused(lambda: watch.lift(scorer, factor, reason="Talked.", by=scorer, at=WHEN)) == "own"
    assert refused(lambda: watch.lift(scorer, factor, reason=" ", by=lead, at=WHEN)) == "no-reason"
    for _ in range(2):
        make_benchmark(entry=_old(1))
    assert refused(lambda: watch.lift(scorer, factor, reason="Talked.", by=lead, at=WHEN)) == "not-recalibrated"
    for _ in range(2):
        finish(calibration.begin(factor, by=scorer, at=WHEN), *RIGHT)
    later = WHEN + MINUTE
    assert [watch.lift(scorer, factor, reason="Talked.", by=lead, at=later) for _ in range(2)] == [True, False]
    made = Pause.objects.get()
    assert (made.lifted_at, made.lifted_by, made.lifted_reason) == (later, lead, "Talked.")
    assert Message.objects.filter(event="scoring_resumed", to=scorer.email).count() == 1
    clock.jump_to(later)
    assert tasks.pause_drifting() == 0  # what lies before the pause's end is settled
    give_out(1, staff)
    assert Assignment.objects.filter(scorer=scorer, sheet__status="draft").count() == 1


def test_lift_without_benchmarks_is_a_leads_decision(scorer: User, staff: User, lead: User) -> None:
    drifted(scorer, staff)
    tasks.pause_drifting()
    assert watch.lift(scorer, make_factor(), reason="We read three entries together.", by=lead, at=WHEN) is True
    assert Pause.objects.in_force(WHEN).count() == 0


def test_leads_see_the_figures_and_the_pause(scorer: User, staff: User, lead: User) -> None:
    drifted(scorer, staff)
    tasks.pause_drifting()
    client = Client()
    client.force_login(lead)
    page = client.get(f"/scoring/qualifications/{scorer.pk}/1/").content.decode()
    assert [word in page for word in ("Drifting", "−1.333", "Lift the pause")] == [True] * 3
    done = client.post(f"/scoring/qualifications/{scorer.pk}/1/", {"act": "lift", "reason": "Talked."})
    assert done.status_code == 302
    assert Pause.objects.get().lifted_by == lead


def test_beside_co_readers_is_in_order_and_by_the_scorers_side(scorer: User, other_scorer: User) -> None:
    watched()
    for mine, theirs in (("4.00", "3.00"), ("3.00", "3.25")):
        entry = make_locked()
        make_reading(entry, scorer, *(mine,) * 3)
        make_reading(entry, other_scorer, *(theirs,) * 3, role="second")
    seen, other = watch.look(scorer, make_factor(), WHEN), watch.look(other_scorer, make_factor(), WHEN)
    assert seen is not None
    assert other is not None
    assert (seen.shared, str(seen.beside), str(other.beside)) == (2, "3/8", "-3/8")
