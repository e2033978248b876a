"""The statement a scorer signs for each cycle: to say whom they know, and to judge without regard to it."""

from datetime import datetime

from django.db import transaction

from candidates import announced
from candidates.models import Cycle, PolicyText, User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from scoring import policies
from scoring.models import Statement


def text() -> PolicyText | None:
    return announced.texts().get(PolicyText.Kind.IMPARTIALITY)


def due(scorer: User, at: datetime) -> list[Cycle]:
    """The cycles under way for which the scorer has to sign before they are given anything."""
    under_way = [cycle for cycle in announced.cycles() if cycle.opens_at <= at < cycle.releases_at]
    if not under_way or text() is None:
        return []
    signed = set(Statement.objects.filter(scorer=scorer).values_list("cycle", flat=True))
    unsigned = [cycle for cycle in under_way if cycle.pk not in signed]
    return [cycle for cycle in unsigned if policies.policy_of(cycle).requires_statement]


@transaction.atomic
def sign(cycle_id: int, *, version: int, signature: str, by: User, at: datetime) -> Statement:
    """`by` signs the text's `version` for the cycle; once signed, a repeat changes nothing.

    Refused "no-text", "text-changed" when another version stands by now, "not-your-name".
    """
    current = text()
    if current is None:
        raise Refused("no-text", "There is no statement to sign yet. Staff will write it.")
    if current.version != version:
        raise Refused("text-changed", "The statement has changed since you opened this page. Read it once more.")
    if signature.split() != by.name.split():
        message = f"Sign with your full name as it stands in your account: {by.name}."
        raise Refused("not-your-name", message, fields={"signature": message})
    cycle = Cycle.objects.get(pk=cycle_id)
    statement, is_new = Statement.objects.get_or_create(
        scorer=by, cycle=cycle, defaults={"text": current, "signature": signature.strip(), "signed_at": at}
    )
    if is_new:
        trail.record("statement.sign", statement, by=by, at=at, after={"cycle": cycle.year, "version": version})
    return statement
