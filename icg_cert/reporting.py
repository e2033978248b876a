"""What is reported of an error: where in the code, which route, which request; nobody's data."""

from typing import Any

import sentry_sdk

from icg_cert.log import without_people


def begin(dsn: str) -> None:
    """Report errors of every process that reads the settings. Without a DSN nothing leaves the machine."""
    sentry_sdk.init(
        dsn,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        before_send=bare,
    )


def bare(event: Any, hint: Any) -> Any:
    """The event without what people sent and who they are: of a request its method alone, for the address may hold a
    key; errors without addresses and without the rows PostgreSQL quotes.
    """
    event.pop("user", None)
    event.pop("extra", None)
    event.pop("logentry", None)
    if request := event.get("request"):
        event["request"] = {"method": request.get("method", "")}
    for error in event.get("exception", {}).get("values", []):
        error["value"] = without_people(error.get("value") or "")
    return event
