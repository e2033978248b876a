"""The providers' doors: a delivery is proved to be theirs, kept, and answered. Nothing of it is believed here."""

import logging
import re

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from icg_cert.lib.refusal import Refused
from payments import deliveries, tasks
from payments.gateways import registry
from payments.gateways.base import BadSignature, VerifierUnavailable

logger = logging.getLogger(__name__)
MAX_BYTES = 256 * 1024
DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)
# What proves a delivery; everything else in its headers is noise, or somebody's address.
PROOFS = ("stripe-signature", "paypal-")


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, provider: str) -> HttpResponse:
    """200 kept (again), 400 not theirs, 404 not connected, 413 too large, 503 deliver it again later."""
    try:
        gateway = registry.get(provider)
    except Refused as off:
        raise Http404 from off
    length = request.headers.get("Content-Length") or "0"
    if not DIGITS.fullmatch(length):
        return HttpResponse(status=400)
    if int(length) > MAX_BYTES:
        return HttpResponse(status=413)
    body, headers = request.body, {name.lower(): text for name, text in request.headers.items()}
    try:
        event = gateway.authenticate(body, headers, at=request.at)
    except BadSignature as error:
        logger.warning("%s webhook refused: %s", provider, error)
        return HttpResponse(status=400)
    except VerifierUnavailable:
        return HttpResponse(status=503)
    proofs = {name: text for name, text in headers.items() if name.startswith(PROOFS)}
    _work_off(deliveries.receive(event, body, proofs, at=request.at))
    return HttpResponse(status=200)


def _work_off(delivery_id: int) -> None:
    """At once, by a worker. Where no queue takes it, the next tick finds it."""
    try:
        tasks.process_delivery.apply_async([delivery_id], retry=False)
    except Exception as error:  # it is kept, whatever a broker throws
        logger.warning("no queue for delivery %s: %s", delivery_id, type(error).__name__)
