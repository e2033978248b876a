"""Somebody who asks PayPal's stand-in over the wire, and looks at the answers as they are."""

import base64
import json
from typing import Any

import requests

from tests.doubles.paypal import PayPalDouble

ORDERS = "/v2/checkout/orders"
CAPTURES = "/v2/payments/captures"
BACK = "http://portal/back/?key=1"
WHOLE = "return=representation"


def sign_in(paypal: PayPalDouble, secret: str = PayPalDouble.CLIENT_SECRET, **form: str) -> requests.Response:
    own = base64.b64encode(f"{paypal.CLIENT_ID}:{secret}".encode()).decode()
    headers, asked = {"Authorization": f"Basic {own}"}, form or {"grant_type": "client_credentials"}
    return requests.post(f"{paypal.url}/v1/oauth2/token", asked, headers=headers, timeout=5)


class Client:
    """Signed in. The body of a POST may be bytes, to be sent as they are."""

    def __init__(self, paypal: PayPalDouble) -> None:
        self.url = paypal.url
        self.token = sign_in(paypal).json()["access_token"]

    def get(self, path: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.get(self.url + path, headers=headers, timeout=5)

    def post(self, path: str, body: Any = None, key: str = "", **headers: str) -> requests.Response:
        told = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", "Prefer": WHOLE}
        told |= {"PayPal-Request-Id": key} if key else {}
        data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        return requests.post(self.url + path, data, headers=told | headers, timeout=5)

    def create(self, key: str = "k1", **changes: Any) -> requests.Response:
        return self.post(ORDERS, order(**changes), key)

    def capture(self, ref: str, key: str = "c1") -> requests.Response:
        return self.post(f"{ORDERS}/{ref}/capture", {}, key)

    def order(self, ref: str) -> Any:
        return self.get(f"{ORDERS}/{ref}").json()

    def refund(self, capture: str, value: str = "", key: str = "r1", **said: Any) -> requests.Response:
        wished = {"amount": {"currency_code": "USD", "value": value}} if value else {}
        return self.post(f"{CAPTURES}/{capture}/refund", wished | said, key)


def order(value: Any = "400.00", currency: Any = "USD", page: Any = None, **unit: Any) -> dict[str, Any]:
    """What is asked for a new order."""
    wished = {"return_url": BACK, "cancel_url": BACK, "user_action": "PAY_NOW"} if page is None else page
    amount = {"currency_code": currency, "value": value}
    units = [{"custom_id": "a1", "invoice_id": "a1", "description": "Fee <2026>", "amount": amount, **unit}]
    source = {"paypal": {"experience_context": wished}}
    return {"intent": "CAPTURE", "purchase_units": units, "payment_source": source}


def issue(answer: requests.Response) -> tuple[int, str]:
    """Its status and PayPal's word for what is wrong."""
    said = answer.json()
    return answer.status_code, said["details"][0]["issue"] if said["details"] else said["name"]


def capture_in(answer: requests.Response) -> dict[str, Any]:
    (found,) = answer.json()["purchase_units"][0]["payments"]["captures"]
    return dict(found)


def told(paypal: PayPalDouble) -> list[str]:
    return [event["event_type"] for event in paypal.events()]
