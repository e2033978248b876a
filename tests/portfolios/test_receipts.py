"""Receipts by their code, brought back, forged and outlived, and the page that tells a file from another."""

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from candidates.models import User
from icg_cert.lib import clock
from icg_cert.lib.guesses import MISSES
from icg_cert.mail.models import Message
from portfolios import receipts, storage, submission
from portfolios.models import Entry, Requirement, Upload
from portfolios.receipts import Answer
from tests.portfolios import files
from tests.portfolios.handing_in import hand_in_checked

MINUTE = timedelta(minutes=1)


@pytest.fixture
def submitted(entry: Entry, document: Requirement, video: Requirement, noon: datetime) -> Entry:
    clock.jump_to(noon)
    hand_in_checked(entry, document, noon)
    hand_in_checked(entry, video, noon)
    return submission.submit(entry.pk, by=entry.registration.user, at=noon)


@pytest.fixture
def anybody() -> Client:
    return Client()


def downloaded(entry: Entry, client: Client | None = None) -> Any:
    return json.loads((client or Client()).get(f"/receipts/{entry.receipt_code}/receipt.json").content)


def said(response: Any) -> str:
    return " ".join(BeautifulSoup(response.content, "html.parser").main.get_text(" ").split())


def answered(receipt: Any) -> Answer:
    return receipts.verify(json.dumps(receipt)).answer


def submit_again(entry: Entry, when: datetime) -> None:
    submission.reopen(entry.pk, by=entry.registration.user, at=when)
    submission.submit(entry.pk, by=entry.registration.user, at=when)


# ---- The page


def test_anybody_with_the_code_reads_what_was_handed_in_and_no_name(submitted: Entry, anybody: Client) -> None:
    page = anybody.get(f"/receipts/{submitted.receipt_code}/")
    text = said(page)
    for upload in Upload.objects.all():
        assert f"{upload.neutral_name} Received on 10 May 2027, 12:00 p.m. Central Time" in text
        assert upload.tree_sha256 in text
    assert all(word in text for word in (submitted.registration.code, "Factor 1", "2027", submitted.manifest_sha256))
    assert not any(word in page.content.decode() for word in ("Abara", "ada@example.org", "Lakeside", "My commentary"))
    assert (page["X-Robots-Tag"], "/entries/" in page.content.decode()) == ("noindex, nofollow", False)
    assert (
        anybody.get(f"/receipts/?code={submitted.receipt_code.lower()}+").headers["Location"]
        == page.request["PATH_INFO"]
    )


def test_owner_reads_their_own_names_for_the_files_too(submitted: Entry, candidate: User, staff: User) -> None:
    texts = {}
    for user in (candidate, staff):
        client = Client()
        client.force_login(user)
        texts[user] = said(client.get(f"/receipts/{submitted.receipt_code}/"))
    assert "You call it My commentary.docx" in texts[candidate]
    assert "My commentary" not in texts[staff]


def test_reopened_receipt_says_so_and_has_no_download(submitted: Entry, anybody: Client, noon: datetime) -> None:
    seal = submitted.manifest_sha256
    submission.reopen(submitted.pk, by=submitted.registration.user, at=noon)
    page = anybody.get(f"/receipts/{submitted.receipt_code}/")
    assert "This entry is not submitted" in said(page)
    assert seal in said(page)
    assert anybody.get(f"/receipts/{submitted.receipt_code}/receipt.json").status_code == 404


def test_entry_that_was_never_handed_in_has_no_receipt(entry: Entry, anybody: Client) -> None:
    assert anybody.get(f"/receipts/{entry.receipt_code}/").status_code == 404


@pytest.mark.parametrize("path", ["/receipts/bbbb-cccc/", "/receipts/bbbb-cccc/receipt.json"])
def test_unknown_code_is_said_and_can_be_mended(anybody: Client, db: None, path: str) -> None:
    answer = anybody.get(path)
    page = BeautifulSoup(answer.content, "html.parser")
    assert (answer.status_code, answer["X-Robots-Tag"]) == (404, "noindex, nofollow")
    assert "No receipt has this code Check it letter by letter." in said(answer)
    form = page.select_one("form[role=search]")
    assert form is not None
    assert (form["action"], form.select_one("[name=code]")["value"]) == ("/receipts/", "bbbb-cccc")  # type: ignore[index]


def test_guesses_are_slowed_and_nothing_else(submitted: Entry, anybody: Client) -> None:
    for number in range(MISSES - 1):
        assert anybody.get(f"/receipts/BBBB{number}/").status_code == 404
    assert anybody.get(f"/receipts/{submitted.receipt_code}/").status_code == 200
    assert anybody.get("/receipts/BBBBBBBB/receipt.json").status_code == 404
    for path in (f"/receipts/{submitted.receipt_code}/", "/receipts/BBBBBBBB/receipt.json"):
        slowed = anybody.get(path)
        assert (slowed.status_code, slowed["Retry-After"]) == (429, "600")
        assert "wait ten minutes" in said(slowed)


def test_mail_says_the_code_and_where_to_verify(submitted: Entry) -> None:
    mail = Message.objects.get(event="receipt")
    for body in (mail.body_text, mail.body_html):
        assert submitted.receipt_code in body
        assert f"/receipts/{submitted.receipt_code}/" in body
        assert "a downloaded receipt at" in body


def test_recipe_of_the_page_computes_the_fingerprint(submitted: Entry, anybody: Client, tmp_path: Path) -> None:
    page = anybody.get(f"/receipts/{submitted.receipt_code}/")
    recipe = BeautifulSoup(page.content, "html.parser").select_one("[data-recipe]")
    assert recipe is not None
    (tmp_path / "film.mp4").write_bytes(files.film())
    made = subprocess.run(
        [sys.executable, "-c", recipe.text, str(tmp_path / "film.mp4")], capture_output=True, text=True, check=True
    )
    assert made.stdout.strip() == Upload.objects.get(requirement__kind="video").tree_sha256


# ---- The document


def test_download_is_the_manifest_with_a_signature(submitted: Entry, anybody: Client) -> None:
    answer = anybody.get(f"/receipts/{submitted.receipt_code}/receipt.json")
    assert answer["Content-Disposition"] == f'attachment; filename="ICG-receipt-{submitted.receipt_code}.json"'
    brought = json.loads(answer.content)
    assert list(brought) == ["manifest", "signature"]
    assert brought["manifest"] == submitted.manifest
    assert (brought["manifest"]["version"], brought["manifest"]["receipt"]) == (2, submitted.receipt_code)
    assert len(brought["signature"]) == 43


def test_receipt_is_valid_however_it_is_written(submitted: Entry) -> None:
    brought = downloaded(submitted)
    backwards = {"signature": brought["signature"], "manifest": dict(reversed(brought["manifest"].items()))}
    for text in (json.dumps(brought), json.dumps(backwards, indent=4), json.dumps(brought, ensure_ascii=False)):
        assert receipts.verify(text) == receipts.Verification(Answer.VALID, submitted)


@pytest.mark.parametrize(
    "change",
    [
        lambda receipt: receipt["manifest"].update(submitted_at="2027-05-09T17:00:00+00:00"),
        lambda receipt: receipt["manifest"].update(cycle="2027"),
        lambda receipt: receipt["manifest"].update(more=True),
        lambda receipt: receipt["manifest"].pop("version"),
        lambda receipt: receipt["manifest"]["files"].pop(),
        lambda receipt: receipt["manifest"]["files"].reverse(),
        lambda receipt: receipt["manifest"]["files"][0].update(size=1),
        lambda receipt: receipt["manifest"]["files"][0].update(sha256_tree="k6dZ-1"),
        lambda receipt: receipt["manifest"]["files"][1].update(received_at=None),
        lambda receipt: receipt.update(signature=receipt["signature"][::-1]),
        lambda receipt: receipt.update(signature=""),
        lambda receipt: receipt.update(signature=f"x:{receipt['signature']}"),
    ],
)
def test_receipt_that_was_tampered_with_is_told(submitted: Entry, change: Any) -> None:
    receipt = downloaded(submitted)
    change(receipt)
    assert receipts.verify(json.dumps(receipt)) == receipts.Verification(Answer.CHANGED)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[]",
        "null",
        "7",
        "{}",
        '{"manifest": {}, "signature": ""}',
        '{"manifest": [], "signature": "x"}',
        '{"manifest": {"entry": 1}, "signature": 7}',
        '{"manifest": {"entry": 1, "candidate": "B\\u0000"}, "signature": "x"}',
        '{"manifest": {"entry": 99999999999999999999, "candidate": "BCDF2345"}, "signature": "x"}',
        '{"manifest": {"entry": "\\ud800"}, "signature": "x"}',
        '{"manifest": {}, "signature": "\\ud800"}',
        "[" * 100_000,
        "9" * 5000,
        " " * (receipts.MOST + 1),
    ],
    ids=range(16),
)
def test_what_is_no_receipt_of_ours_is_told(db: None, text: str) -> None:
    assert receipts.verify(text) == receipts.Verification(Answer.FOREIGN)


def test_receipt_of_another_portal_is_not_ours(submitted: Entry, settings: Any) -> None:
    receipt = downloaded(submitted)
    settings.SECRET_KEY = "of another portal " * 3
    receipt["manifest"]["candidate"] = "BBBBBBBB"
    assert answered(receipt) == Answer.FOREIGN


def test_receipt_outlives_its_key_while_the_key_is_kept(submitted: Entry, settings: Any) -> None:
    receipt, old = downloaded(submitted), settings.SECRET_KEY
    settings.SECRET_KEY = "a new one " * 5
    assert answered(receipt) == Answer.CHANGED
    settings.SECRET_KEY_FALLBACKS = [old]
    assert answered(receipt) == Answer.VALID
    assert downloaded(submitted)["signature"] != receipt["signature"]


def test_later_submission_supersedes_an_earlier_one(submitted: Entry, noon: datetime) -> None:
    first = downloaded(submitted)
    submission.reopen(submitted.pk, by=submitted.registration.user, at=noon + MINUTE)
    assert answered(first) == Answer.REOPENED
    submission.submit(submitted.pk, by=submitted.registration.user, at=noon + 2 * MINUTE)
    assert answered(first) == Answer.SUPERSEDED
    assert answered(downloaded(submitted)) == Answer.VALID


def test_receipt_of_version_1_still_holds(submitted: Entry, anybody: Client) -> None:
    """As manifests were before they said of which receipt they are, and in what parts files were hashed."""
    old = {key: value for key, value in submitted.manifest.items() if key != "receipt"} | {"version": 1}
    old["files"] = [{key: value for key, value in file.items() if key != "part_size"} for file in old["files"]]
    Entry.objects.update(manifest=old, manifest_sha256=submission.fingerprint(old))
    assert answered(downloaded(submitted)) == Answer.VALID
    submitted.refresh_from_db()
    assert [file.part_size for file in receipts.files(submitted, is_owner=False)] == [8 * 1024 * 1024] * 2
    assert "Is a file one of these?" in said(anybody.get(f"/receipts/{submitted.receipt_code}/"))


def test_files_say_in_which_parts_they_were_hashed(submitted: Entry) -> None:
    film = receipts.files(submitted, is_owner=False)[1]
    digest = storage.digest(files.film())
    assert film.for_script == {
        "title": "Conversation",
        "name": film.name,
        "size": len(files.film()),
        "part_size": 8 * 1024 * 1024,
        "sha256_tree": storage.tree([digest]),
    }


# ---- Verifying by the page


@pytest.mark.parametrize("as_file", [True, False])
def test_receipt_is_verified_as_file_and_as_text(submitted: Entry, anybody: Client, as_file: bool) -> None:
    text = json.dumps(downloaded(submitted), indent=2)
    brought = {"file": SimpleUploadedFile("receipt.json", text.encode())} if as_file else {"text": text}
    page = anybody.post("/receipts/", brought)
    assert "This receipt is valid" in said(page)
    assert f"/receipts/{submitted.receipt_code}/" in page.content.decode()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("superseded", "A later submission took its place"),
        ("reopened", "This entry was reopened"),
        ("changed", "This receipt was changed"),
        ("foreign", "This is no receipt of ours"),
    ],
)
def test_page_says_each_answer(submitted: Entry, anybody: Client, noon: datetime, answer: str, words: str) -> None:
    receipt = downloaded(submitted)
    if answer == "superseded":
        submit_again(submitted, noon + MINUTE)
    elif answer == "reopened":
        submission.reopen(submitted.pk, by=submitted.registration.user, at=noon)
    else:
        receipt["manifest"]["cycle"] = 2026
        receipt["manifest"]["entry"] += 1000 if answer == "foreign" else 0
    page = anybody.post("/receipts/", {"text": json.dumps(receipt)})
    assert words in said(page)
    assert (f"/receipts/{submitted.receipt_code}/" in page.content.decode()) is (answer in ("superseded", "reopened"))


@pytest.mark.parametrize("brought", [{}, {"text": "  "}, {"file": SimpleUploadedFile("a.json", b"")}])
def test_nothing_brought_is_asked_for(db: None, anybody: Client, brought: dict[str, Any]) -> None:
    assert "Choose the file of the receipt, or paste its text." in said(anybody.post("/receipts/", brought))


def test_no_code_is_asked_for(db: None, anybody: Client) -> None:
    assert "Enter the code that stands on the receipt." in said(anybody.get("/receipts/?code=+"))


def test_entry_of_a_manifest_is_named_by_two_things(submitted: Entry) -> None:
    """So that nobody finds out by counting which entries there are."""
    receipt = downloaded(submitted)
    receipt["manifest"]["candidate"] = "BBBBBBBB"
    assert answered(receipt) == Answer.FOREIGN
