"""The wire of the doubles: faults are used up, what is dropped after acting was acted on, webhooks are repeated."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.doubles.server import Answer, Asked, Double


class Counter(Double):
    """Counts what it is asked to count."""

    def answer(self, asked: Asked) -> Answer:
        self.state["count"] = self.state.get("count", 0) + (asked.method == "POST")
        return Answer.json({"count": self.state["count"]})


@pytest.fixture
def counter() -> Iterator[Counter]:
    with Counter() as running:
        yield running


def post(double: Double, path: str = "/count", body: object = None, timeout: float = 5) -> tuple[int, str]:
    data = json.dumps(body).encode() if body is not None else b"{}"
    request = urllib.request.Request(double.url + path, data)
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return answer.status, answer.read().decode()


def test_it_keeps_state_and_a_log(counter: Counter) -> None:
    assert [post(counter), post(counter)] == [(200, '{"count": 1}'), (200, '{"count": 2}')]
    assert [asked.line for asked in counter.log] == ["POST /count"] * 2


def test_a_fault_is_used_up(counter: Counter) -> None:
    counter.fail("POST /count", status=503, times=2)
    for _ in range(2):
        with pytest.raises(urllib.error.HTTPError) as refused:
            post(counter)
        refused.value.close()
        assert refused.value.code == 503
    assert post(counter) == (200, '{"count": 1}')


@pytest.mark.parametrize(("does", "after"), [("drop", 1), ("act_then_drop", 2)])
def test_a_dropped_answer_was_acted_on_or_not(counter: Counter, does: str, after: int) -> None:
    counter.fail("POST /count", does)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        post(counter)
    assert post(counter) == (200, json.dumps({"count": after}))


@pytest.mark.parametrize("does", ["hang", "drip"])
def test_a_slow_answer_outlasts_a_reader(counter: Counter, does: str) -> None:
    counter.fail("POST /count", does, seconds=5)
    with pytest.raises(TimeoutError):
        post(counter, timeout=0.2)


def test_a_page_in_place_of_an_answer(counter: Counter) -> None:
    counter.fail("POST /count", "html")
    assert post(counter)[1].startswith("<h1>")


def test_knobs_over_http(counter: Counter) -> None:
    post(counter, "/_ctl/clock", {"at": "2027-01-31T23:59:59+00:00"})
    assert counter.now() == datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)
    post(counter, "/_ctl/faults", [{"on": "POST /count", "does": "html"}])
    assert post(counter)[1].startswith("<h1>")
    post(counter)
    post(counter, "/_ctl/reset")
    assert (counter.state, counter.log) == ({}, [])


def test_state_outlives_the_process(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with Counter(file=file) as first:
        post(first)
    with Counter(file=file) as second:
        assert post(second) == (200, '{"count": 2}')


def test_the_clock_follows_the_rehearsal(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    with Counter(clock_file=file) as running:
        wall = running.now()
        file.write_text(json.dumps({"offset_microseconds": 86_400_000_000}))
        assert timedelta(days=1) <= running.now() - wall < timedelta(days=1, minutes=1)


def test_webhooks_wait_until_they_are_delivered_and_are_repeated_until_taken(counter: Counter) -> None:
    with Counter() as portal:
        for number in (1, 2):
            counter.send(f"{portal.url}/hook/{number}", {"number": number}, lambda body, at: {"Signed": str(len(body))})
        assert portal.log == []
        portal.fail("POST /hook/2", status=503)
        assert counter.deliver(order="reversed") == [503, 200]
        assert counter.deliver(twice=True) == [200, 200]
        assert counter.deliver() == []
        assert [asked.path for asked in portal.log] == ["/hook/2", "/hook/1", "/hook/2", "/hook/2"]
        assert {asked.header("signed") for asked in portal.log} == {"13"}


def test_webhooks_leave_by_themselves_in_the_demo() -> None:
    with Counter() as portal, Counter(delivers=True) as counter:
        arrived = [portal.fail("POST /hook", status=500)]
        counter.send(f"{portal.url}/hook", {}, lambda body, at: {})
        while len(portal.log) < 2:  # the first try failed, the second comes a second later
            arrived.append(counter._stopped.wait(0.05))
        assert [asked.line for asked in portal.log] == ["POST /hook"] * 2
