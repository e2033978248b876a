"""The upload protocol over HTTP, on the portal's own disk and in a bucket: same questions, same answers."""

from datetime import datetime
from random import Random
from typing import Any

import pytest
import requests
from django.test import Client

from icg_cert.lib import clock
from portfolios import storage
from portfolios.models import Entry, Requirement, Upload

PART = 5 * 1024 * 1024  # no S3 server takes less, but for the last
BODY = Random(7).randbytes(2 * PART) + b"the last part"
CUTS = [BODY[:PART], BODY[PART : 2 * PART], BODY[2 * PART :]]
DIGESTS = [storage.digest(cut) for cut in CUTS]
TREE = storage.tree(DIGESTS)
PRINT = "f" * 64

Answer = tuple[int, dict[str, Any]]


@pytest.fixture(params=["local", "s3"], autouse=True)
def kept_in(request: pytest.FixtureRequest, settings: Any, noon: datetime) -> str:
    if request.param == "s3":
        request.getfixturevalue("s3")
    settings.UPLOAD_PART_BYTES = PART
    clock.jump_to(noon)
    return str(request.param)


class Browser:
    """What the upload script does, one step at a time: each answer as (status, JSON)."""

    def __init__(self, entry: Entry, requirement: Requirement) -> None:
        self.client = Client()
        self.client.force_login(entry.registration.user)
        self.slot = f"{entry.pk}-{requirement.pk}"
        self.id = ""

    def post(self, path: str, body: dict[str, Any]) -> Answer:
        answer = self.client.post(f"/uploads/{path}", body, content_type="application/json")
        return answer.status_code, answer.json()

    def create(self) -> Answer:
        file = {"filename": "My film.mp4", "size": len(BODY), "type": "video/mp4", "fingerprint": PRINT}
        status, answer = self.post("", {"slot": self.slot, **file})
        self.id = answer.get("id", "")
        return status, answer

    def sign(self, number: int, sha256: str | None = None) -> Answer:
        sha256 = DIGESTS[number - 1] if sha256 is None else sha256
        return self.post(f"{self.id}/sign", {"parts": [{"n": number, "sha256": sha256}]})

    def signed(self, number: int) -> dict[str, Any]:
        status, answer = self.sign(number)
        assert (status, list(answer["parts"][0])) == (200, ["n", "url", "headers", "expires"])
        part: dict[str, Any] = answer["parts"][0]
        return part

    def put(self, part: dict[str, Any], body: bytes) -> int:
        if part["url"].startswith("/"):
            return Client().put(part["url"], body, content_type="application/octet-stream").status_code
        return requests.put(part["url"], data=body, headers=part["headers"], timeout=30).status_code

    def send(self, *numbers: int) -> list[int]:
        return [self.put(self.signed(number), CUTS[number - 1]) for number in numbers]

    def relay(self, number: int, body: bytes, sha256: str = "") -> Answer:
        answer = self.client.post(
            f"/uploads/{self.id}/relay/{number}",
            body,
            content_type="application/octet-stream",
            headers={"X-Part-SHA256": sha256},
        )
        return answer.status_code, answer.json()

    def complete(self, tree: str = TREE) -> Answer:
        return self.post(f"{self.id}/complete", {"tree": tree})


@pytest.fixture
def browser(entry: Entry, video: Requirement) -> Browser:
    return Browser(entry, video)


def kept() -> bytes:
    with storage.default().open(Upload.objects.get().storage_key) as file:
        return file.read()


@pytest.mark.media_case(12, 13)
def test_whole_protocol(browser: Browser) -> None:
    status, opened = browser.create()
    assert (status, opened["part_size"], opened["parts"], opened["received"]) == (201, PART, 3, [])
    assert browser.send(3, 1) == [200, 200]
    status, resumed = browser.create()
    assert (status, resumed["received"]) == (
        200,
        [{"n": n, "size": len(CUTS[n - 1]), "sha256": DIGESTS[n - 1]} for n in (1, 3)],
    )
    status, early = browser.complete()
    assert (status, early["code"], early["missing"]) == (409, "parts-missing", [2])
    assert browser.send(2) == [200]
    for _ in range(2):
        status, answer = browser.complete()
        assert (status, answer["state"]) == (200, "stored")
    assert kept() == BODY
    assert Upload.objects.get().tree_sha256 == TREE
