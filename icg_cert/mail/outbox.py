"""Queueing and sending mail.

`queue` belongs inside the transaction of the change it tells of; the message leaves after commit, by the tick, and is
tried again with growing waits. A key names the fact, so a repeated verb never writes twice.
"""

import logging
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import F
from django.template import Context
from django.template.loader import get_template

from icg_cert.mail.models import Message

logger = logging.getLogger(__name__)
BATCH = 200


def queue(
    event: str,
    *,
    to: Any,
    key: str,
    at: datetime,
    attachment: str = "",
    attachment_name: str = "",
    **context: Any,
) -> None:
    """Write the mail `templates/emails/<event>/` to `to` (a User, or an address) for the fact named `key`.

    `attachment` is the name of a PDF in the storage, which must not change any more; it leaves as `attachment_name`.
    `context` goes to the three templates together with `user`, `base_url` and `at`; keep it to plain values, for they
    are what staff later see of it.
    """
    user = None if isinstance(to, str) else to
    values = {**context, "user": user, "base_url": settings.BASE_URL, "at": at}
    parts = {part: _render(f"emails/{event}/{part}", values) for part in ("subject.txt", "body.txt", "body.html")}
    Message.objects.bulk_create(
        [
            Message(
                key=key,
                event=event,
                user=user,
                to=to if user is None else user.email,
                subject=" ".join(parts["subject.txt"].split()),
                body_text=parts["body.txt"].strip() + "\n",
                body_html=parts["body.html"],
                attachment=attachment,
                attachment_name=attachment_name,
                context={name: str(value) for name, value in context.items()},
                queued_at=at,
                next_try_at=at,
            )
        ],
        ignore_conflicts=True,
    )


def _render(template: str, values: dict[str, Any]) -> str:
    """The template as text; only HTML is escaped, so that plain text says "&" where somebody wrote "&"."""
    return get_template(template).template.render(  # type: ignore[attr-defined]
        Context(values, autoescape=template.endswith(".html"))
    )


def send_due(at: datetime) -> int:
    """Send what is due, oldest first, one short transaction a message; the number sent. Safe in parallel."""
    keys = list(Message.objects.due(at).values_list("pk", flat=True)[:BATCH])
    if not keys:
        return 0
    with get_connection() as connection:
        return sum(_send_one(pk, connection, at) for pk in keys)


@transaction.atomic
def _send_one(pk: int, connection: Any, at: datetime) -> bool:
    message = Message.objects.due(at).select_for_update(skip_locked=True).filter(pk=pk).first()
    if message is None:
        return False
    mail = EmailMultiAlternatives(message.subject, message.body_text, settings.DEFAULT_FROM_EMAIL, [message.to])
    mail.attach_alternative(message.body_html, "text/html")
    mail.extra_headers["Message-ID"] = f"<{message.pk}.{message.key}@{settings.MAIL_DOMAIN}>"
    mail.connection = connection
    try:
        _attach(mail, message)
        mail.send()
    except Exception as error:  # whatever a mail server or a storage can throw at us must not lose the message
        _postpone(message, error, at)
        return False
    Message.objects.filter(pk=pk).update(state=Message.State.SENT, sent_at=at, tries=F("tries") + 1, error="")
    return True


def _attach(mail: EmailMultiAlternatives, message: Message) -> None:
    if message.attachment:
        with default_storage.open(message.attachment) as file:
            mail.attach(message.attachment_name, file.read(), "application/pdf")


def _postpone(message: Message, error: Exception, at: datetime) -> None:
    logger.warning("mail %s: %s", message.pk, type(error).__name__)
    given_up = message.tries >= len(Message.BACKOFF)
    Message.objects.filter(pk=message.pk).update(
        tries=F("tries") + 1,
        error=f"{type(error).__name__}: {error}"[:300],
        state=Message.State.DEAD if given_up else Message.State.QUEUED,
        next_try_at=at if given_up else at + Message.BACKOFF[message.tries],
    )
