"""Processes that are killed: the other side of the crash tests.

Started once, it sets Django up and then makes a child for each line of its input. The child does one thing that people
or providers do, on the test's own database and against the test's own double, and counts its steps: before and after
each commit, before and after each request to the provider. At the step it was told it sends itself SIGKILL: nothing of
Python runs any more, as when a machine loses power. For each line it answers "killed" or "survived".
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from candidates.models import Registration, User  # noqa: E402
from payments import attempts, deliveries, refunds, settlement  # noqa: E402
from payments.gateways import registry  # noqa: E402
from payments.gateways.stripe import _PatientClient  # noqa: E402


class Fuse:
    """Burns one step at a time, and at its end kills the process."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def burn(self) -> None:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1

    def around(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def burning(*args: Any, **kwargs: Any) -> Any:
            self.burn()
            answer = work(*args, **kwargs)
            self.burn()
            return answer

        return burning


def pay(told: dict[str, Any], at: datetime) -> None:
    registration = Registration.objects.select_related("user").get(pk=told["registration"])
    attempts.start(registration.pk, "stripe", by=registration.user, at=at, accepted=told["accepted"])


def come_back(told: dict[str, Any], at: datetime) -> None:
    settlement.settle(told["attempt"], at=at)


def take_event(told: dict[str, Any], at: datetime) -> None:
    body = told["body"].encode()
    event = registry.get("stripe").authenticate(body, told["headers"], at=at)
    deliveries.process(deliveries.receive(event, body, {}, at=at), at=at)


def approve(told: dict[str, Any], at: datetime) -> None:
    refunds.approve(told["refund"], by=User.objects.get(pk=told["by"]), at=at)


ACTS = {act.__name__: act for act in (pay, come_back, take_event, approve)}


def do(told: dict[str, Any]) -> None:
    for name, value in told["settings"].items():
        setattr(settings, name, value)
    connection.settings_dict["NAME"] = told["database"]
    connection.ensure_connection()
    fuse = Fuse(told["steps"])
    connection._commit = fuse.around(connection._commit)  # type: ignore[attr-defined]  # what every commit goes through
    _PatientClient.request = fuse.around(_PatientClient.request)  # type: ignore[method-assign]
    ACTS[told["act"]](told, datetime.fromisoformat(told["at"]))


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                do(json.loads(line))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print({0: "survived", -signal.SIGKILL: "killed"}.get(status, f"failed with {status}"), flush=True)


if __name__ == "__main__":
    main()
