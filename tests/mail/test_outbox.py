from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from pytest_django import Settings

from candidates.models import User
from icg_cert.mail import outbox
from icg_cert.mail.models import Message
from tests.factories import MICROSECOND, at, make_user
from tests.threads import run_at_once

NOON = at(2027, 1, 2, 12)


class ServerDown(BaseEmailBackend):
    """A mail server that refuses everything."""

    def send_messages(self, messages: list[Any]) -> int:
        raise ConnectionRefusedError("down")


@pytest.fixture(autouse=True)
def templates(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "emails" / "hello"
    folder.mkdir(parents=True)
    (folder / "subject.txt").write_text("Hello\n{{ word }}\n")
    (folder / "body.txt").write_text("Dear {{ user.name }},\n{{ word }}\n\n")
    (folder / "body.html").write_text("<p>Dear {{ user.name }}, {{ word }}</p>")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]


def queue(user: User | str, key: str = "hello:1") -> None:
    outbox.queue("hello", to=user, key=key, at=NOON, word="& welcome")


def test_queue_writes_the_message_once_per_fact(candidate: User) -> None:
    queue(candidate)
    queue(candidate)
    message = Message.objects.values(
        "event", "to", "subject", "body_text", "body_html", "context", "state", "tries"
    ).get()
    assert message == {
        "event": "hello",
        "to": "ada@example.org",
        "subject": "Hello & welcome",
        "body_text": "Dear Ada Abara,\n& welcome\n",
        "body_html": "<p>Dear Ada Abara, &amp; welcome</p>",
        "context": {"word": "& welcome"},
        "state": "queued",
        "tries": 0,
    }


def test_queue_is_undone_with_the_change_it_tells_of(candidate: User) -> None:
    with transaction.atomic():
        queue(candidate)
        transaction.set_rollback(True)
    assert Message.objects.count() == 0


def test_send_due_sends_what_is_due_and_only_once(candidate: User) -> None:
    queue(candidate)
    assert outbox.send_due(NOON - MICROSECOND) == 0
    assert outbox.send_due(NOON) == 1
    assert outbox.send_due(NOON) == 0
    assert [(m.to, m.subject, m.body) for m in mail.outbox] == [
        (["ada@example.org"], "Hello & welcome", "Dear Ada Abara,\n& welcome\n")
    ]
    assert list(Message.objects.values_list("state", "tries", "sent_at")) == [("sent", 1, NOON)]


def test_a_dead_mail_server_loses_nothing(candidate: User, settings: Settings) -> None:
    queue(candidate)
    settings.EMAIL_BACKEND = "tests.mail.test_outbox.ServerDown"
    assert outbox.send_due(NOON) == 0
    message = Message.objects.get()
    assert (message.state, message.tries, message.next_try_at) == ("queued", 1, NOON + timedelta(minutes=1))
    assert message.error == "ConnectionRefusedError: down"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert outbox.send_due(NOON + timedelta(minutes=1)) == 1


def test_a_message_is_given_up_after_the_last_wait(candidate: User, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "tests.mail.test_outbox.ServerDown"
    queue(candidate)
    waits = []
    when = NOON
    for _ in range(len(Message.BACKOFF) + 1):
        outbox.send_due(when)
        message = Message.objects.get()
        waits.append(message.next_try_at - when)
        when = message.next_try_at
    assert waits == [*Message.BACKOFF, timedelta(0)]
    assert (message.state, message.tries) == ("dead", len(Message.BACKOFF) + 1)
    assert outbox.send_due(when + timedelta(days=9)) == 0


@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_send_each_message_once() -> None:
    user = make_user()
    for number in range(5):
        queue(user, key=f"hello:{number}")
    sent = run_at_once(lambda: outbox.send_due(NOON), times=4)
    assert sum(sent) == 5
    assert len(mail.outbox) == 5


def attached(name: str = "invoices/abc.pdf") -> None:
    outbox.queue(
        "hello",
        to="ap@example.org",
        key="hello:1",
        at=NOON,
        attachment=name,
        attachment_name="INV-2026-0001.pdf",
        word="x",
    )


def test_an_attachment_leaves_as_it_was_stored(db: None) -> None:
    name = default_storage.save("invoices/abc.pdf", ContentFile(b"%PDF-1.7 paper"))
    attached(name)
    assert outbox.send_due(NOON) == 1
    assert [tuple(each) for each in mail.outbox[0].attachments] == [
        ("INV-2026-0001.pdf", b"%PDF-1.7 paper", "application/pdf")
    ]


def test_a_message_without_a_file_carries_none(candidate: User) -> None:
    queue(candidate)
    outbox.send_due(NOON)
    assert mail.outbox[0].attachments == []


def test_a_file_that_cannot_be_read_postpones_the_message(db: None) -> None:
    """The storage may be away for a minute, as a mail server may."""
    attached()
    assert outbox.send_due(NOON) == 0
    message = Message.objects.get()
    assert (message.state, message.tries, message.next_try_at) == ("queued", 1, NOON + timedelta(minutes=1))
    assert message.error.startswith("FileNotFoundError")
    default_storage.save("invoices/abc.pdf", ContentFile(b"%PDF-1.7 paper"))
    assert outbox.send_due(NOON + timedelta(minutes=1)) == 1
    assert len(mail.outbox[0].attachments) == 1
