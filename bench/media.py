"""A film's way in beside a plain copy; the memory that a large one takes; pages beside sixty slow lines."""

import os
import shutil
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from threading import Thread
from time import perf_counter, sleep
from urllib.parse import urlsplit
from uuid import uuid4

import requests
from django.conf import settings
from django.test import Client

from bench.portal import behind_nginx, peak
from bench.world import NOW
from portfolios import uploads
from portfolios.models import Entry, Requirement
from portfolios.storage import digest, tree
from tests.object_store import BUCKET, ObjectStore
from tests.portal import Portal

MIB = 2**20
FILM = 256 * MIB
LARGEST = 4096 * MIB
ROUNDS = 3
LANES = 3
SLOW_LINES, SLOW_BYTES, SLOW_RATE = 60, MIB, 100_000
LOOKS_SECONDS = 8
TOKEN = "b" * 32  # of the form's protection: cookie and header only have to agree


@dataclass
class Coach:
    """A candidate whose browser sends films into one slot."""

    url: str
    entry: Entry
    requirement: Requirement

    def __post_init__(self) -> None:
        client = Client()
        client.force_login(self.entry.registration.user)
        self.session = requests.Session()
        self.session.cookies.update({"sessionid": client.cookies["sessionid"].value, "csrftoken": TOKEN})
        self.session.headers["X-CSRFToken"] = TOKEN

    def ask(self, path: str, body: dict[str, object]) -> dict[str, object]:
        answer = self.session.post(f"{self.url}{path}", json=body, timeout=120)
        assert answer.ok, (path, answer.status_code, answer.text[:200])
        return answer.json()  # type: ignore[no-any-return]

    def send(self, parts: "Parts") -> None:
        """The whole protocol as the browser speaks it, hashing included."""
        slot = f"{self.entry.pk}-{self.requirement.pk}"
        made = self.ask(
            "/uploads/",
            {
                "slot": slot,
                "filename": "film.mp4",
                "size": parts.size,
                "type": "video/mp4",
                "fingerprint": uuid4().hex * 2,
            },
        )
        with ThreadPoolExecutor(LANES) as lanes:
            numbers = range(1, int(str(made["parts"])) + 1)
            digests = list(lanes.map(lambda number: self._part(str(made["id"]), number, parts), numbers))
        self.ask(f"/uploads/{made['id']}/complete", {"tree": tree(digests)})

    def _part(self, upload: str, number: int, parts: "Parts") -> str:
        body = parts.read(number)
        sha256 = digest(body)
        signed = self.ask(f"/uploads/{upload}/sign", {"parts": [{"n": number, "sha256": sha256}]})["parts"][0]  # type: ignore[index]
        address = signed["url"] if "://" in signed["url"] else f"{self.url}{signed['url']}"
        answer = requests.put(address, body, headers=signed["headers"], timeout=120)
        assert answer.ok, (answer.status_code, answer.text[:200])
        return sha256


@dataclass(frozen=True)
class Parts:
    """A film of `size` bytes: that of a file, or noise that repeats itself where nobody compares."""

    size: int
    path: Path | None = None

    def read(self, number: int) -> bytes:
        step = settings.UPLOAD_PART_BYTES
        length = min(step, self.size - (number - 1) * step)
        if self.path is None:
            return number.to_bytes(8) + bytes(length - 8)
        with self.path.open("rb") as file:
            file.seek((number - 1) * step)
            return file.read(length)


def slot() -> tuple[Entry, Requirement]:
    requirement = Requirement.objects.filter(kind="video", maximum=1).order_by("factor__number", "position")[0]
    entry = Entry.objects.filter(factor=requirement.factor, status="draft").select_related("registration__user")[0]
    entry.uploads.filter(requirement=requirement).delete()
    return entry, requirement


def ways_in() -> None:
    """The same bytes, sent through a real server in three lanes: beside a copy that is forced to the disk, and beside
    one PUT to the bucket.
    """
    film = Path(settings.MEDIA_ROOT) / "film.bin"
    film.write_bytes(os.urandom(FILM))
    with closing(Portal(settings.VAR_DIR)) as portal:
        coach = Coach(portal.url, *slot())
        _beside("a plain copy", lambda: _copy(film), coach, film)
        before = peak(portal)
        coach.send(Parts(LARGEST))
        _print_memory(before, peak(portal))
    into_a_bucket(film)
    film.unlink()


def into_a_bucket(film: Path) -> None:
    with (
        closing(ObjectStore(settings.VAR_DIR / "bucket")) as bucket,
        closing(Portal(settings.VAR_DIR, bucket)) as portal,
    ):
        _beside("one presigned PUT", lambda: _put(bucket, film), Coach(portal.url, *slot()), film)


def _beside(baseline: str, bare: Callable[[], None], coach: Coach, film: Path) -> None:
    coach.send(Parts(MIB, film))
    rounds = [(_mbs(bare), _mbs(lambda: coach.send(Parts(FILM, film)))) for _ in range(ROUNDS)]
    ratios = [ours / other for other, ours in rounds]
    print(f"\n{f'{FILM // MIB} MiB':<26}{'MB/s':>10}{f'of {baseline}: median':>30}{'lowest':>9}")
    print(f"{baseline:<26}{median(other for other, _ in rounds):>10.0f}")
    print(f"{'our upload':<26}{median(ours for _, ours in rounds):>10.0f}{median(ratios):>29.0%} {min(ratios):>8.0%}")


def _put(bucket: ObjectStore, film: Path) -> None:
    url = bucket.client.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "bare"})
    with film.open("rb") as file:
        assert requests.put(url, file, timeout=120).ok


def _print_memory(before: int, after: int) -> None:
    """What the server has held at most, after small films and after one of 4 GiB."""
    print(f"\n{'memory of the server':<26}{'peak MiB':>10}{'of the first peak':>20}")
    for size, held in ((FILM, before), (LARGEST, after)):
        print(f"{f'after {size // MIB:,} MiB':<26}{held / MIB:>10.0f}{held / before:>19.0%}")


def _mbs(work: Callable[[], None]) -> float:
    begin = perf_counter()
    work()
    return FILM / 1e6 / (perf_counter() - begin)


def _copy(film: Path) -> None:
    beside = film.with_suffix(".copy")
    shutil.copyfile(film, beside)
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.unlink()


def slow_lines() -> None:
    """A page's answers, alone and while sixty people send a part each over a line of 100 kB a second."""
    if shutil.which("nginx") is None:
        print("\nslow lines: nginx is not installed, and stands before every real portal; not measured")
        return
    entry, requirement = slot()
    settings.UPLOAD_OPEN_PER_PERSON = SLOW_LINES + 1
    addresses = [_address(entry, requirement) for _ in range(SLOW_LINES)]
    portal, answers = Portal(settings.VAR_DIR), list[bytes]()
    with closing(portal), behind_nginx(portal, settings.VAR_DIR / "nginx") as url:
        coach = Coach(url, entry, requirement)
        alone = _p95(coach)
        lines = [Thread(target=_trickle, args=(url, address, answers)) for address in addresses]
        for line in lines:
            line.start()
        beside = _p95(coach)
        for line in lines:
            line.join()
    assert answers == [b"HTTP/1.1 200"] * SLOW_LINES, answers
    print(f"\n{'dashboard, p95':<26}{'ms':>10}{'of alone':>20}")
    for name, value in (("alone", alone), (f"beside {SLOW_LINES} slow lines", beside)):
        print(f"{name:<26}{value * 1000:>10.0f}{value / alone:>19.0%}")


def _address(entry: Entry, requirement: Requirement) -> str:
    announced = uploads.Announced("film.mp4", SLOW_BYTES, uuid4().hex * 2)
    upload, _ = uploads.begin(entry.pk, requirement.pk, announced, by=entry.registration.user, at=NOW)
    [signed] = uploads.sign(upload.pk, [(1, digest(bytes(SLOW_BYTES)))], by=entry.registration.user, at=NOW)
    return signed.url


def _trickle(url: str, address: str, answers: list[bytes]) -> None:
    host = urlsplit(url).netloc
    with socket.create_connection((urlsplit(url).hostname or "", urlsplit(url).port or 80), timeout=120) as line:
        head = f"PUT {address} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {SLOW_BYTES}\r\nConnection: close\r\n\r\n"
        line.sendall(head.encode())
        begin, sent = perf_counter(), 0
        while sent < SLOW_BYTES:
            piece = min(SLOW_BYTES - sent, 10_000)
            line.sendall(bytes(piece))
            sent += piece
            sleep(max(0, begin + sent / SLOW_RATE - perf_counter()))
        answers.append(line.recv(12))


def _p95(coach: Coach) -> float:
    """Seconds that 19 of 20 answers take at most."""
    times, begin = [], perf_counter()
    while perf_counter() - begin < LOOKS_SECONDS:
        asked = perf_counter()
        assert coach.session.get(f"{coach.url}/dashboard/", timeout=30).status_code == 200
        times.append(perf_counter() - asked)
    return quantiles(times, n=20)[-1]
