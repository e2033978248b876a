import pytest
from django.db import InternalError, transaction

from candidates.models import User
from icg_cert.audit.models import Event
from icg_cert.audit.trail import record
from icg_cert.lib import request_id
from tests.factories import at


def test_record_keeps_who_what_when_and_why(candidate: User, staff: User) -> None:
    token = request_id.current.set("abc")
    event = record(
        "user.rename",
        candidate,
        by=staff,
        at=at(2027, 1, 2),
        reason="Married",
        before={"name": "A"},
        after={"name": "B"},
    )
    request_id.current.reset(token)
    assert Event.objects.filter(pk=event.pk).values().get() == {
        "id": event.pk,
        "at": at(2027, 1, 2),
        "actor_id": staff.pk,
        "verb": "user.rename",
        "object_type": "candidates.User",
        "object_id": str(candidate.pk),
        "before": {"name": "A"},
        "after": {"name": "B"},
        "reason": "Married",
        "request_id": "abc",
    }
    assert list(Event.objects.about(candidate)) == [event]
    assert list(Event.objects.about(staff)) == []


def test_the_trail_cannot_be_changed_or_shortened(candidate: User) -> None:
    event = record("user.rename", candidate, by=None, at=at(2027, 1, 2))
    for change in (lambda: Event.objects.update(reason="other"), event.delete):
        with pytest.raises(InternalError, match="append_only"), transaction.atomic():
            change()
    assert Event.objects.get() == event
