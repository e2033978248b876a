from django.contrib.auth.models import Group

from candidates import accounts
from candidates.models import User
from icg_cert.audit.models import Event
from icg_cert.mail.models import Message
from tests.factories import at

NOW = at(2026, 10, 1)


def role(name: str) -> Group:
    return Group.objects.get_or_create(name=name)[0]


def test_open_account_waits_for_a_password(staff: User) -> None:
    user = accounts.open_account(
        User(email="nia@example.org", name="Nia New"), roles=[role("scorer"), role("finance")], by=staff, at=NOW
    )
    assert (user.has_usable_password(), user.is_staff) == (False, True)
    mail = Message.objects.get()
    assert (mail.key, mail.to) == (f"account_opened:{user.pk}", "nia@example.org")
    assert "as finance, scorer" in mail.body_text
    assert "/accounts/password/reset/" in mail.body_text


def test_set_roles_twice_is_recorded_once(staff: User, candidate: User) -> None:
    for _ in range(2):
        accounts.set_roles(candidate.pk, roles=[role("staff")], by=staff, at=NOW)
    assert list(Event.objects.values_list("verb", "before", "after")) == [
        ("account.set_roles", {"roles": []}, {"roles": ["staff"]})
    ]
    assert User.objects.get(pk=candidate.pk).is_staff


def test_set_roles_takes_the_admin_away_but_not_from_a_superuser(staff: User, candidate: User) -> None:
    User.objects.filter(pk=candidate.pk).update(is_staff=True)
    assert not accounts.set_roles(candidate.pk, roles=[], by=staff, at=NOW).is_staff
    User.objects.filter(pk=candidate.pk).update(is_superuser=True)
    assert accounts.set_roles(candidate.pk, roles=[], by=staff, at=NOW).is_staff
