"""`python -m bench.big_upload [--store local|s3] [--bytes N]`: one large file through every accident, in Chromium.

A pause, a crash of the tab and the choice of the same file in a new one, a line that is away, SIGKILL of the web server
and its restart, a quarter of all parts refused at random. At the end what is stored must be the file. By hand, not in
`make bench`: it takes minutes and as much disk as the file, twice.
"""

import argparse
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from random import Random
from time import perf_counter, sleep
from typing import Any

import django

VAR = Path(__file__).resolve().parent.parent / "var" / "bench-upload"
os.environ |= {"ICG_VAR_DIR": str(VAR), "ICG_DEMO": "1", "LOG_LEVEL": "ERROR", "DATABASE_URL": ""}
os.environ |= {"DJANGO_SETTINGS_MODULE": "icg_cert.settings", "DJANGO_ALLOW_ASYNC_UNSAFE": "true"}

from icg_cert import embedded_postgres  # noqa: E402

for folder in ("static", "media", "queue", "queue-control"):
    (VAR / folder).mkdir(parents=True, exist_ok=True)
embedded_postgres.ensure(VAR, durable=False)
embedded_postgres.recreate_database(VAR)
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from playwright.sync_api import Error, Page, Route, expect, sync_playwright  # noqa: E402

from candidates.models import PolicyText  # noqa: E402
from icg_cert.lib import clock  # noqa: E402
from portfolios import storage  # noqa: E402
from portfolios.models import Entry, Requirement, Upload  # noqa: E402
from tests import factories, object_store  # noqa: E402
from tests.object_store import ObjectStore  # noqa: E402
from tests.portal import Portal  # noqa: E402
from tests.portfolios.browsing import Computer, choose, is_part, section, state  # noqa: E402

MEGABYTE = 10**6
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
LONGEST = 3600  # seconds for the whole run
began = perf_counter()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--store", choices=["local", "s3"], default="local")
    options.add_argument("--bytes", type=int, default=10**9)
    chosen = options.parse_args()
    call_command("migrate", verbosity=0)
    film, digest = _film(chosen.bytes)
    with _object_store(chosen.store) as store:
        portal = Portal(VAR, store)
        try:
            _run(portal, film, chosen.bytes)
            _compare(digest)
        finally:
            portal.kill()
    shutil.rmtree(VAR / "media")


def tell(words: str) -> None:
    print(f"{perf_counter() - began:8.1f} s  {words}", flush=True)


def _film(size: int) -> tuple[Path, bytes]:
    path, found, block = VAR / "film.mp4", sha256(), Random(7).randbytes(MEGABYTE - 8)
    with path.open("wb") as out:
        for number in range(-(-size // MEGABYTE)):
            piece = (number.to_bytes(8, "big") + block)[: size - number * MEGABYTE]
            found.update(piece)
            out.write(piece)
    tell(f"a file of {size / MEGABYTE:,.0f} MB")
    return path, found.digest()


@contextmanager
def _object_store(kind: str) -> Iterator[ObjectStore | None]:
    if kind == "local":
        yield None
        return
    server = ObjectStore(VAR / "seaweed")
    settings.S3_BUCKET, settings.S3_ENDPOINT_URL, settings.S3_PUBLIC_URL = object_store.BUCKET, server.url, server.url
    settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY = object_store.ACCESS_KEY, object_store.SECRET_KEY
    settings.S3_ADDRESSING = "path"
    try:
        yield server
    finally:
        server.close()


def _entry() -> tuple[Entry, Requirement]:
    factories.make_text(PolicyText.Kind.CONSENT, body="Everyone seen in this video agreed.")
    entry = factories.make_entry(factories.make_registration(factories.make_user("Ada Abara")), factories.make_factor())
    clock.jump_to(factories.at(2027, 5, 10, 12))
    return entry, factories.make_requirement(key="conversation", kind=Requirement.Kind.VIDEO, max_minutes=10)


def _run(portal: Portal, film: Path, size: int) -> None:
    entry, slot = _entry()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        ada = Computer(browser, portal.url, entry)
        start = perf_counter()
        page = ada.tab()
        choose(page, slot, film)
        _wait(page, 5)
        at, percent = perf_counter(), _percent(page)
        _wait(page, 20)
        speed = (_percent(page) - percent) / 100 * size / MEGABYTE / (perf_counter() - at)
        tell(f"undisturbed: {speed:.0f} MB/s")
        _pause(page, slot, ada)
        _wait(page, 40)
        page = _crash(page, slot, ada, film)
        _wait(page, 50)
        _offline(page, slot, ada)
        _wait(page, 60)
        _kill(page, slot, portal)
        _wait(page, 70)
        refused = _refuse_a_quarter(page, ada)
        expect(state(page, slot)).to_have_text(["Received, being checked"], timeout=LONGEST * 1000)
        whole = perf_counter() - start
        tell(f"received; {len(refused)} parts were refused; {len(ada.sent)} sent in all")
        tell(f"with everything that happened: {whole:.0f} s, {size / MEGABYTE / whole:.0f} MB/s")
        ada.close()
        browser.close()


def _percent(page: Page) -> int:
    return int(page.evaluate("document.querySelector('[data-upload-bar]')?.value ?? 0"))


def _wait(page: Page, percent: int) -> None:
    while _percent(page) < percent:
        page.wait_for_timeout(50)
    tell(f"{percent} percent")


def _pause(page: Page, slot: Requirement, ada: Computer) -> None:
    section(page, slot).get_by_role("button", name="Pause").click()
    expect(state(page, slot)).to_have_text(["Paused"])
    sleep(1)
    before = len(ada.sent)
    sleep(3)
    assert len(ada.sent) == before
    section(page, slot).get_by_role("button", name="Resume").click()
    tell("paused for four seconds; nothing was sent meanwhile")


def _crash(page: Page, slot: Requirement, ada: Computer, film: Path) -> Page:
    size = film.stat().st_size
    with suppress(Error):
        page.goto("chrome://crash", timeout=5000)
    page.close()
    held = sum(part.size for part in _parts())
    page = ada.tab()
    choose(page, slot, film)
    at = perf_counter()
    while _percent(page) * size < held * 100 or state(page, slot).all_inner_texts() != ["Uploading"]:
        page.wait_for_timeout(20)
    took = perf_counter() - at
    tell(f"the tab crashed; in a new one {held / MEGABYTE:,.0f} MB were hashed and not sent again, within {took:.1f} s")
    return page


def _parts() -> Any:
    upload = Upload.objects.get()
    transfer = storage.Transfer(upload.storage_key, upload.storage_upload_id, upload.size, upload.part_size)
    held = storage.default().list(transfer)
    return upload.parts.all() if held is None else held


def _offline(page: Page, slot: Requirement, ada: Computer) -> None:
    ada.context.set_offline(True)
    expect(state(page, slot)).to_have_text(["Waiting"], timeout=60_000)
    sleep(4)
    ada.context.set_offline(False)
    expect(state(page, slot)).to_have_text(["Uploading"], timeout=60_000)
    tell("four seconds offline")


def _kill(page: Page, slot: Requirement, portal: Portal) -> None:
    portal.kill()
    tell("SIGKILL for the web server")
    expect(state(page, slot)).to_have_text(["Waiting"], timeout=120_000)
    portal.start()
    expect(state(page, slot)).to_have_text(["Uploading"], timeout=60_000)
    tell("it runs again, and so does the upload")


def _refuse_a_quarter(page: Page, ada: Computer) -> list[str]:
    chance, refused = Random(4), list[str]()

    def sometimes(route: Route) -> None:
        if route.request.method == "PUT" and chance.random() < 0.25:
            refused.append(route.request.url)
            route.fulfill(status=503, body="", headers={"Access-Control-Allow-Origin": ada.url})
        else:
            route.continue_()

    page.route(is_part, sometimes)
    tell("from here a quarter of all parts is refused")
    return refused


def _compare(digest: bytes) -> None:
    upload, found = Upload.objects.get(), sha256()
    with storage.default().open(upload.storage_key) as file:
        while piece := file.read(8 * MEGABYTE):
            found.update(piece)
    assert (upload.state, found.digest()) == ("stored", digest)
    tell(f"what is stored is the file: SHA-256 {digest.hex()}")


if __name__ == "__main__":
    main()
