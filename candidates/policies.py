"""The texts people accept. A changed text is a new version; what somebody signed stays what they signed."""

from datetime import datetime

from django.db import transaction

from candidates.models import PolicyText, Programme, User
from icg_cert.audit import trail


@transaction.atomic
def adopt(kind: str, body: str, *, by: User | None, at: datetime) -> PolicyText:
    """Make `body` the current text of its kind, as the next version; the current one where nothing differs."""
    list(Programme.objects.select_for_update())  # one at a time, so that two get two numbers
    versions = PolicyText.objects.filter(kind=kind)
    newest = versions.order_by("-version").first()
    if newest and newest.body == body:
        return newest
    number = newest.version + 1 if newest else 1
    text = PolicyText.objects.create(kind=kind, version=number, body=body)
    trail.record("policy.adopt", text, by=by, at=at, after={"kind": kind, "version": number})
    return text
