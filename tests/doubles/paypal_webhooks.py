"""How PayPal tells what happened, and how it proves that it was PayPal who told: over the bytes, exactly as they left.

The real one signs with a certificate. Here only the double itself can tell, which is what whoever gets a webhook asks.
"""

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from hmac import new as hmac
from typing import Any
from uuid import uuid4
from zlib import crc32

from tests.doubles import paypal_forms as forms
from tests.doubles import paypal_objects as objects
from tests.doubles.paypal_objects import Object
from tests.doubles.server import Answer, Asked, Double

CERT = "https://api.paypal.com/v1/notifications/certs/CERT-practice"


class PayPalWebhooks(Double):
    """`portal` is where webhooks go: `<portal>/webhooks/paypal/`. Without it events are only remembered."""

    CLIENT_ID = "practice-client-no-money"
    CLIENT_SECRET = "practice-secret-no-money"
    WEBHOOK_ID = "practice-webhook"

    def __init__(self, port: int = 0, *, portal: str = "", **double: Any) -> None:
        super().__init__(port, **double)
        self.hook = f"{portal.rstrip('/')}/webhooks/paypal/" if portal else ""

    def events(self, kind: str = "") -> list[Object]:
        """What has happened so far, oldest first."""
        return [deepcopy(each) for each in self.state["events"].values() if kind in ("", each["event_type"])]

    def signed(self, event: Any, *, at: datetime | None = None, webhook: str = "") -> tuple[bytes, dict[str, str]]:
        """Body and headers as they would be delivered."""
        body = self._bytes(event)
        return body, self._proof(body, at or self.now(), webhook)

    def _tell(self, kind: str, about: Object) -> None:
        event = objects.event(kind, about, self.now()) | (deepcopy(objects.ODD) if self.state["odd"] else {})
        self.state["events"][event["id"]] = event
        self._post(event, self._proof)

    def _post(self, event: Object, sign: Callable[[bytes, datetime], dict[str, str]]) -> None:
        self.send_bytes(self.hook, self._bytes(event), sign)

    def _bytes(self, event: Any) -> bytes:
        if not self.state["odd"]:
            return json.dumps(event).encode()
        # As legal as the other, and gone once somebody writes it anew.
        text = json.dumps(event, ensure_ascii=False, indent=1, separators=(" ,", " :  "))
        return text.replace("/", r"\/").encode()

    def _proof(self, body: bytes, at: datetime, webhook: str = "") -> dict[str, str]:
        sent, moment = str(uuid4()), objects.stamp(at)
        return {
            "Paypal-Transmission-Id": sent,
            "Paypal-Transmission-Time": moment,
            "Paypal-Transmission-Sig": self._signature(sent, moment, webhook or self.WEBHOOK_ID, body),
            "Paypal-Cert-Url": CERT,
            "Paypal-Auth-Algo": "SHA256withRSA",
        }

    def _signature(self, sent: str, moment: str, webhook: str, body: bytes) -> str:
        signed = f"{sent}|{moment}|{webhook}|{crc32(body)}".encode()
        return base64.b64encode(hmac(self.CLIENT_SECRET.encode(), signed, sha256).digest()).decode()

    def verify(self, asked: Asked) -> Answer:
        """Over the bytes as they stand in the request: what was decoded and written anew has another checksum."""
        said = forms.proof(forms.body(asked))
        event = forms.member(asked.body, "webhook_event")
        right = self._signature(said["transmission_id"], said["transmission_time"], said["webhook_id"], event)
        is_ours = (
            said["webhook_id"] == self.WEBHOOK_ID
            and (said["cert_url"], said["auth_algo"]) == (CERT, "SHA256withRSA")
            and compare_digest(right.encode(), said["transmission_sig"].encode())
        )
        return Answer.json({"verification_status": "SUCCESS" if is_ours else "FAILURE"})
