"""Writing the audit trail. Call it inside the transaction that changes the row, so that neither stands alone."""

from datetime import datetime
from typing import Any

from django.db.models import Model

from icg_cert.audit.models import Event
from icg_cert.lib import request_id


def record(
    verb: str,
    obj: Model,
    *,
    by: Any,
    at: datetime,
    reason: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> Event:
    """Append one event. `verb` is the verb's name with its noun ("registration.approve"); `by` None means the portal.

    `before` and `after` hold JSON values of what changed and never the content of a person's documents.
    """
    return Event.objects.create(
        at=at,
        actor=by,
        verb=verb,
        object_type=obj._meta.label,
        object_id=str(obj.pk),
        before=before,
        after=after,
        reason=reason,
        request_id=request_id.current.get(),
    )
