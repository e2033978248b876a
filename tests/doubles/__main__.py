"""Both stand-ins for the demo: `python -m tests.doubles --portal http://localhost:8000 --folder var/doubles`.

They keep their state in the folder, follow the demo's clock, and send their webhooks to the portal until it takes them.
"""

import argparse
import signal
from contextlib import ExitStack
from pathlib import Path

from tests.doubles.paypal import PayPalDouble
from tests.doubles.stripe import StripeDouble


def main() -> None:
    told = _arguments()
    told.folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as running:
        for name, double in (("stripe", StripeDouble), ("paypal", PayPalDouble)):
            port, file = getattr(told, f"{name}_port"), told.folder / f"{name}.json"
            made = double(
                port,
                host=told.host,
                public=told.public,
                portal=told.portal,
                delivers=True,
                file=file,
                clock_file=told.clock_file,
            )
            print(f"{name} {running.enter_context(made).url}", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            return


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.doubles", description="Stand-ins for Stripe and PayPal.")
    parser.add_argument("--host", default="127.0.0.1", help="where they listen")
    parser.add_argument("--public", default="", help="how browsers reach them, without the port: http://localhost")
    parser.add_argument("--stripe-port", type=int, default=0)
    parser.add_argument("--paypal-port", type=int, default=0)
    parser.add_argument("--folder", type=Path, required=True, help="where they keep their state")
    parser.add_argument("--clock-file", type=Path, help="the demo's moved clock")
    parser.add_argument("--portal", default="", help="where webhooks go")
    return parser.parse_args()


if __name__ == "__main__":
    main()
