"""PayPal over the wire: the only module that knows how it is spoken to.

The card of the programme asks for `paypalrestsdk`, which PayPal has given up. So it is a fetcher of access tokens here
and nothing else: none of its payments, none of its checks of webhooks, and every part of it that could hang, loop, leak
or lie is overridden in `_OAuth`. Whoever replaces it writes another `PayPalApi` into this file; no other one changes.
"""

import json
import logging
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import paypalrestsdk
import requests
from paypalrestsdk import exceptions as answers

from payments.gateways import deadline
from payments.gateways.base import GatewayError, Rejected, Unavailable

logger = logging.getLogger(__name__)
Object = dict[str, Any]

MARGIN = 60  # seconds: a token this near its end may be refused before it arrives
PAGE = 100
LONGEST_SEARCH = timedelta(days=31)
# An answer that says no, when it is PayPal that says it. All others leave open whether anything happened.
NOES = (
    answers.BadRequest,
    answers.UnauthorizedAccess,
    answers.ForbiddenAccess,
    answers.ResourceNotFound,
    answers.ResourceInvalid,
)
UNDER_WAY = {"PREVIOUS_REQUEST_IN_PROGRESS", "ORDER_COMPLETION_IN_PROGRESS", "RESOURCE_CONFLICT"}
SILENCE = (answers.ConnectionError, requests.RequestException, deadline.TooSlow, LookupError, TypeError, ValueError)
ISSUE = re.compile(r"[A-Za-z_]{1,80}", re.ASCII)


class Refusal(Rejected):
    """PayPal answered no: the HTTP status, and PayPal's own word for why."""

    def __init__(self, status: int, issue: str) -> None:
        super().__init__(f"{status} {issue}")
        self.status = status
        self.issue = issue


class PayPalApi(Protocol):
    """What is asked of PayPal: JSON objects in and out. Every method may raise Refusal or Unavailable.

    `key` is the PayPal-Request-Id: the same again is answered with what the first call did, for six hours (refunds:
    45 days).
    """

    def create(self, order: Object, key: str) -> Object: ...

    def get(self, order: str) -> Object: ...

    def capture(self, order: str, key: str) -> Object:
        """The whole order after its money was taken."""
        ...

    def get_capture(self, capture: str) -> Object: ...

    def refund(self, capture: str, refund: Object, key: str) -> Object: ...

    def transactions(self, since: datetime, until: datetime) -> Iterator[Object]:
        """Everything that moved on the account, page by page. PayPal's list is up to three hours behind."""
        ...

    def disputes(self, capture: str) -> Iterator[Object]:
        """The disputes about a capture, each with its details."""
        ...

    def verify(self, proof: Object, event: bytes) -> str:
        """SUCCESS or FAILURE: whether PayPal sent exactly these bytes, a JSON object, with that proof."""
        ...


class RestPayPal:
    """PayPal's REST interface at `url`, asked in the name of an app. Safe for threads: they share its token."""

    def __init__(self, url: str, client_id: str, secret: str, seconds: int) -> None:
        self.oauth = _OAuth(url, client_id, secret, seconds)

    def create(self, order: Object, key: str) -> Object:
        return self._ask("POST", "/v2/checkout/orders", order, key)

    def get(self, order: str) -> Object:
        return self._ask("GET", f"/v2/checkout/orders/{_in_path(order)}")

    def capture(self, order: str, key: str) -> Object:
        return self._ask("POST", f"/v2/checkout/orders/{_in_path(order)}/capture", {}, key)

    def get_capture(self, capture: str) -> Object:
        return self._ask("GET", f"/v2/payments/captures/{_in_path(capture)}")

    def refund(self, capture: str, refund: Object, key: str) -> Object:
        return self._ask("POST", f"/v2/payments/captures/{_in_path(capture)}/refund", refund, key)

    def transactions(self, since: datetime, until: datetime) -> Iterator[Object]:
        # In spans of one length: a short last one would begin where PayPal's list does not reach yet, and be refused.
        spans = -((since - until) // LONGEST_SEARCH)
        for number in range(spans):
            begins, ends = (since + (until - since) * each / spans for each in (number, number + 1))
            yield from self._transactions(begins, ends)

    def disputes(self, capture: str) -> Iterator[Object]:
        query = urlencode({"disputed_transaction_id": capture, "page_size": 50})
        for found in self._ask("GET", f"/v1/customer/disputes?{query}").get("items") or []:
            yield self._ask("GET", f"/v1/customer/disputes/{_in_path(found['dispute_id'])}")

    def verify(self, proof: Object, event: bytes) -> str:
        # The event as it came: written anew, other spaces or a 1 for a 1.0 make every signature wrong.
        body = json.dumps(proof).encode()[:-1] + b', "webhook_event": ' + event + b"}"
        return str(self._ask("POST", "/v1/notifications/verify-webhook-signature", body)["verification_status"])

    def _transactions(self, since: datetime, until: datetime) -> Iterator[Object]:
        asked = {"start_date": _instant(since), "end_date": _instant(until), "fields": "transaction_info"}
        page, pages = 1, 1
        while page <= pages:
            query = urlencode({**asked, "page_size": PAGE, "page": page})
            said = self._ask("GET", f"/v1/reporting/transactions?{query}")
            yield from said["transaction_details"]
            page, pages = page + 1, said["total_pages"]

    def _ask(self, method: str, path: str, body: Object | bytes | None = None, key: str = "") -> Object:
        headers = {"Prefer": "return=representation"} | ({"PayPal-Request-Id": key} if key else {})
        try:
            return self.oauth.request(self.oauth.endpoint + path, method, body, headers)
        except NOES as error:
            raise _refusal(error) from None
        except SILENCE as error:
            # Never its text: what an exception of the client tells of itself holds whole answers.
            raise Unavailable(type(error).__name__) from None


class _OAuth(paypalrestsdk.Api):  # type: ignore[misc]  # it has no types
    """The client, made safe. What it inherits unchanged: the credentials' header, and which answer raises what."""

    def __init__(self, url: str, client_id: str, secret: str, seconds: int) -> None:
        # "live" wherever it is: the mode in which the client writes less into the log, should ours ever call it.
        super().__init__(mode="live", endpoint=url, client_id=client_id, client_secret=secret)
        self.seconds = seconds
        self.token_hash: Object | None = None
        self.token_ends = 0
        self.token_lock = Lock()

    def http_call(self, url: str, method: str, **kwargs: Any) -> Object:
        """One request: so many seconds for a whole answer, no redirect followed, a JSON object or an error."""
        until = deadline.after(self.seconds)
        with requests.request(
            method, url, timeout=self.seconds, allow_redirects=False, stream=True, **kwargs
        ) as answer:
            content = deadline.read(answer.raw, until).decode()
        said = self.handle_response(answer, content)
        if not content or not isinstance(said, dict):
            raise ValueError("not a JSON object")
        return said

    def get_token_hash(self, authorization_code: Any = None, refresh_token: Any = None, headers: Any = None) -> Object:
        """The token of the app. One thread fetches it while the others wait; no header of a caller goes along."""
        with self.token_lock:
            known, token = self.token_hash, super().get_token_hash()
            if token is not known:
                self.token_ends = deadline.after(int(token.get("expires_in", 0)) - MARGIN)
            if not token.get("access_token") or not token.get("token_type"):
                self.token_hash = None
                raise ValueError("not a token")
            return dict(token)

    def validate_token_hash(self) -> None:
        """Forget a token that has ended, or is about to."""
        if time.monotonic_ns() >= self.token_ends:
            self.token_hash = None

    def request(
        self, url: str, method: str, body: Any = None, headers: Any = None, refresh_token: Any = None
    ) -> Object:
        """One request, and one more with a new token where PayPal does not take the one we had.

        `body` is bytes to be sent as they are, something to be written as JSON, or None for nothing.
        """
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {**self.headers(), **(headers or {})}
        try:
            return self.http_call(url, method, data=data, headers=sent)
        except answers.UnauthorizedAccess:
            self._forget(sent["Authorization"])
        return self.http_call(url, method, data=data, headers={**self.headers(), **(headers or {})})

    def _forget(self, authorization: str) -> None:
        """Unless another thread has a new token by now."""
        with self.token_lock:
            token = self.token_hash
            if token and f"{token['token_type']} {token['access_token']}" == authorization:
                self.token_hash = None


def _refusal(error: Any) -> GatewayError:
    """What a no of PayPal means; one without PayPal's word for it came from something that stands in between."""
    issue, status = _issue(error.content), error.response.status_code
    return Refusal(status, issue) if issue and issue not in UNDER_WAY else Unavailable(f"{status} {issue}".strip())


def _issue(content: str) -> str:
    try:
        said = json.loads(content)
        details = said.get("details") or [{}]
        word = details[0].get("issue") or said.get("name") or said.get("error")
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
    return word if isinstance(word, str) and ISSUE.fullmatch(word) else ""


def _in_path(name: str) -> str:
    return quote(name, safe="")


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
