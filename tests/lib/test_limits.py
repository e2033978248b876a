from datetime import timedelta

import pytest
from django.test import RequestFactory

from icg_cert.lib import limits

HOUR = timedelta(hours=1)


def spend(what: str = "code", whom: str = "ada", within: timedelta = HOUR) -> bool:
    return limits.spend(what, whom, at_most=2, within=within)


def test_spend_says_no_after_the_last_one_of_each() -> None:
    assert [spend() for _ in range(4)] == [True, True, False, False]
    assert [spend(whom="ben"), spend(what="quote")] == [True, True]


def test_spend_begins_anew_where_the_count_was_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits.cache, "add", lambda *args: None)
    assert [spend() for _ in range(3)] == [True, True, False]


def test_caller_is_the_address_behind_trusted_proxies(rf: RequestFactory, settings: object) -> None:
    assert limits.caller(rf.get("/", REMOTE_ADDR="10.1.2.3", HTTP_X_FORWARDED_FOR="6.6.6.6")) == "10.1.2.3"
