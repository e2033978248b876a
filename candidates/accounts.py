"""Accounts of people who work for the programme. Candidates open their own."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import Group
from django.db import transaction

from candidates import permissions
from candidates.models import User
from icg_cert.audit import trail
from icg_cert.mail import outbox


@transaction.atomic
def open_account(user: User, *, roles: Iterable[Group], by: User, at: datetime) -> User:
    """Save a new person, who gets a mail that leads to choosing a password; until then nobody can sign in as them."""
    user.set_unusable_password()
    user.save()
    _give(user, roles)
    trail.record("account.open", user, by=by, at=at, after={"roles": role_names(user)})
    outbox.queue("account_opened", to=user, key=f"account_opened:{user.pk}", at=at, roles=role_names(user))
    return user


@transaction.atomic
def set_roles(user_id: int, *, roles: Iterable[Group], by: User, at: datetime) -> User:
    """Give a person exactly these roles; the office's open the admin."""
    user = User.objects.select_for_update().get(pk=user_id)
    before = role_names(user)
    _give(user, roles)
    after = role_names(user)
    if before != after:
        trail.record("account.set_roles", user, by=by, at=at, before={"roles": before}, after={"roles": after})
    return user


def _give(user: User, roles: Iterable[Group]) -> None:
    user.groups.set(roles)
    user.is_staff = user.is_superuser or user.groups.filter(name__in=permissions.OFFICE).exists()
    user.save(update_fields=["is_staff"])


def role_names(user: User) -> list[str]:
    return list(user.groups.order_by("name").values_list("name", flat=True))
