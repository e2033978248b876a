"""`make bench`: how much of a bare view's throughput each page keeps.

A bare view for a signed-in person pays for session, user and middleware; what a page adds shows as a ratio to it. Both
run in this process, in turns, over several rounds, so that a busy machine slows both. No network, no server: this
measures our code and PostgreSQL.
"""

import os
import shutil
from pathlib import Path
from statistics import median
from time import perf_counter

import django

VAR = Path(__file__).resolve().parent.parent / "var" / "bench"
os.environ |= {"ICG_VAR_DIR": str(VAR), "ICG_DEMO": "1", "LOG_LEVEL": "ERROR"}
os.environ["DJANGO_SETTINGS_MODULE"] = "icg_cert.settings"
os.environ["DATABASE_URL"] = ""

from icg_cert import embedded_postgres  # noqa: E402

for folder in ("static", "media", "queue", "queue-control"):
    (VAR / folder).mkdir(parents=True, exist_ok=True)
embedded_postgres.ensure(VAR, durable=False)
embedded_postgres.recreate_database(VAR)
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from bench import assigning, films, media, money, releasing, scoring, world  # noqa: E402
from icg_cert.lib import clock  # noqa: E402

ROUNDS = 7
SECONDS = 0.4  # for each page in each round


def main() -> None:
    settings.ROOT_URLCONF = "bench.urls"
    call_command("migrate", verbosity=0)
    clock.jump_to(world.NOW)
    pages = world.build()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    clients = [_signed_in(page) for page in pages]
    queries = [_queries(client, page) for client, page in zip(clients, pages, strict=True)]
    rounds = [[_rate(client, page) for client, page in zip(clients, pages, strict=True)] for _ in range(ROUNDS)]
    print(f"\n{world.REGISTRATIONS:,} registrations, {ROUNDS} rounds of {SECONDS} s a page, one thread\n")
    print(f"{'page':<26}{'queries':>8}{'pages/s':>10}{'of the bare view: median':>27}{'lowest':>9}")
    for number, page in enumerate(pages):
        ratios = [rates[number] / rates[0] for rates in rounds]
        rate = median(rates[number] for rates in rounds)
        print(f"{page.name:<26}{queries[number]:>8}{rate:>10.0f}{median(ratios):>26.0%} {min(ratios):>8.0%}")
    assigning.plans()
    assigning.rows()
    money.webhooks()
    money.books()
    scoring.agreement()
    scoring.papers()
    releasing.everybody()
    media.ways_in()
    media.slow_lines()
    films.made_ready()
    shutil.rmtree(VAR / "media")


def _signed_in(page: world.Page) -> Client:
    client = Client()
    if page.by:
        client.force_login(page.by)
    return client


def _queries(client: Client, page: world.Page) -> int:
    """How many the page asks, after a first look that fills what is cached for good."""
    client.get(page.url)
    with CaptureQueriesContext(connection) as captured:
        response = client.get(page.url)
    assert response.status_code == 200, f"{page.url} answers {response.status_code}"
    return len(captured)


def _rate(client: Client, page: world.Page) -> float:
    """Pages a second."""
    count, begin = 0, perf_counter()
    while (spent := perf_counter() - begin) < SECONDS:
        client.get(page.url)
        count += 1
    return count / spent


main()
