from candidates import profile
from candidates.models import User
from icg_cert.audit.models import Event
from tests.factories import at


def test_change_is_recorded_once(candidate: User) -> None:
    for _ in range(2):
        profile.change(candidate.pk, name="Ada Lund", time_zone="Europe/Berlin", by=candidate, at=at(2026, 11, 15))
    event = Event.objects.get()
    assert (event.verb, event.before, event.after) == (
        "profile.change",
        {"name": "Ada Abara", "time_zone": ""},
        {"name": "Ada Lund", "time_zone": "Europe/Berlin"},
    )
