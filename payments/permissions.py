"""Who may see and move money. Candidates see and pay their own; staff judge purchase orders; finance enters money."""

from typing import Any

from django.db.models import Q

from candidates.permissions import FINANCE, is_finance, is_office, is_staff


def payments_visible_to(user: Any) -> Q:
    if not user.is_authenticated:
        return Q(pk__in=[])
    return Q() if is_office(user) else Q(registration__user=user)


def orders_visible_to(user: Any) -> Q:
    """Whoever handed it in. A coach who took a seat of somebody else's order reads of it, and not the document."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    return Q() if is_office(user) else Q(submitted_by=user)


def quotes_visible_to(user: Any) -> Q:
    """Whoever asked for it with an account. Its contact has the signed link instead."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    return Q() if is_office(user) else Q(requested_by=user)


def registrations_payable_by(user: Any) -> Q:
    """Nobody pays, or accepts the no-refund policy, in another person's name."""
    return Q(user=user) if user.is_authenticated else Q(pk__in=[])


def may_see_money(user: Any) -> bool:
    return is_office(user)


def may_decide_orders(user: Any) -> bool:
    """Accept, refuse and cancel purchase orders, give seats back, verify payers."""
    return is_staff(user)


def may_enter_money(user: Any) -> bool:
    return is_finance(user)


def may_approve_refunds(user: Any) -> bool:
    """Anybody of the office, so that there are two people where one does the finances; never who asked for it."""
    return is_office(user)


def may_read_w9(user: Any) -> bool:
    """The office, and whoever pays or may be paid for. A contact has their quote's link instead."""
    return is_office(user) or user.registrations.standing().exists()


def watches_money() -> Q:
    """Of users: who is told when money arrives that a person has to look at."""
    return Q(groups__name=FINANCE, is_active=True)
