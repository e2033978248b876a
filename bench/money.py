"""Webhooks taken in a second beside a bare insert, and the memory of a reconciliation as the books grow."""

import json
import tracemalloc
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from statistics import median
from time import perf_counter

import stripe
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.views.decorators.csrf import csrf_exempt

from bench.world import NOW
from candidates.models import Registration
from icg_cert.lib.money import Money
from payments import reconcile
from payments.gateways import registry
from payments.gateways.base import Facts, Standing, Txn
from payments.gateways.stripe_answers import VERSION
from payments.models import Attempt, Delivery, LedgerEntry

ROUNDS = 7
SECONDS = 0.4
SECRET = "whsec_bench"  # noqa: S105  of nobody
numbers = count()


@csrf_exempt
def bare_insert(request: HttpRequest) -> HttpResponse:
    """The least that keeps a body: one row."""
    name = f"bare-{next(numbers)}"
    Delivery.objects.create(
        provider="bare", event_id=name, type="x", body=request.body, received_at=NOW, next_try_at=NOW, state="ignored"
    )
    return HttpResponse()


def webhooks() -> None:
    """Both doors in turns: a signed event that is proved, kept and handed to a worker, and a row that is inserted."""
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = "sk_test_bench", SECRET
    client = Client()
    rounds = [(_rate(client, "/bare-insert/"), _rate(client, "/webhooks/stripe/")) for _ in range(ROUNDS)]
    ratios = [door / bare for bare, door in rounds]
    print(f"\n{'webhook':<26}{'a second':>10}{'of a bare insert: median':>27}{'lowest':>9}")
    print(f"{'bare insert':<26}{median(bare for bare, _ in rounds):>10.0f}")
    print(f"{'webhook':<26}{median(door for _, door in rounds):>10.0f}{median(ratios):>26.0%} {min(ratios):>8.0%}")


def _rate(client: Client, url: str) -> float:
    done, begin = 0, perf_counter()
    while (spent := perf_counter() - begin) < SECONDS:
        body = _event()
        signed = {"Stripe-Signature": _signature(body)}
        answer = client.post(url, body, content_type="application/json", headers=signed)
        assert answer.status_code == 200, answer.status_code
        done += 1
    return done / spent


def _event() -> str:
    about = {"id": "cs_bench", "object": "checkout.session", "metadata": {}, "payment_intent": "pi_bench"}
    return json.dumps(
        {
            "id": f"evt_{next(numbers)}", "object": "event", "type": "checkout.session.completed", "livemode": False,
            "api_version": VERSION, "created": int(NOW.timestamp()), "data": {"object": about},
        }
    )  # fmt: skip


def _signature(body: str) -> str:
    return stripe.WebhookSignature.generate_signature_header(body, SECRET, int(NOW.timestamp()))


class Listing:
    """A provider that lists one payment for every attempt, page by page, as it stands in our own books."""

    name = "bench"
    livemode = False
    account = ""

    def recent(self, since: datetime, *, at: datetime) -> Iterator[Facts]:
        rows = LedgerEntry.objects.filter(provider=self.name).order_by("pk")
        for ref, minor, attempt in rows.values_list("txn_ref", "amount_minor", "attempt__public_id").iterator(100):
            amount = Money(minor)
            yield Facts(Standing.PAID, at, attempt, amount, txns=(Txn("charge", ref, amount, at),))


def books() -> None:
    """A thousand attempts, then ten thousand: the peak of what Python holds, and how long it takes."""
    registry.GATEWAYS = {"bench": (Listing, "DEMO")}  # type: ignore[dict-item]
    Delivery.objects.all().delete()
    registrations = list(Registration.objects.order_by("pk").values_list("pk", flat=True))
    peaks: list[int] = []
    print(f"\n{'reconcile':<26}{'seconds':>10}{'peak MiB':>12}{'of the first peak':>20}")
    done = 0
    for size in (1_000, len(registrations) // 1_000 * 1_000):
        _pay(registrations[done:size])
        done = size
        reconcile.run(since=NOW - timedelta(days=400), at=NOW)  # once for what is made only once
        tracemalloc.start()
        begin = perf_counter()
        run = reconcile.run(since=NOW - timedelta(days=400), at=NOW)
        spent, (_, peak) = perf_counter() - begin, tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert run is not None
        assert run.counts["bench payments"] == size
        peaks.append(peak)
        print(f"{f'{size:,} attempts':<26}{spent:>10.1f}{peak / 2**20:>12.1f}{peak / peaks[0]:>19.0%}")


def _pay(registrations: list[int]) -> None:
    rows = [
        Attempt(
            registration_id=pk, provider="bench", amount_minor=40000, currency="USD", state="paid", idem_key=f"b{pk}",
            opened_at=NOW,
        )
        for pk in registrations
    ]  # fmt: skip
    Attempt.objects.bulk_create(rows, batch_size=1000)
    LedgerEntry.objects.bulk_create(
        (
            LedgerEntry(
                registration_id=row.registration_id, attempt=row, kind="charge", amount_minor=40000, currency="USD",
                provider="bench", txn_ref=f"charge-{row.pk}", occurred_at=NOW, recorded_at=NOW,
            )
            for row in rows
        ),
        batch_size=1000,
    )  # fmt: skip
