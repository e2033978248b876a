"""Real documents through the real LibreOffice, and what is kept, said and tried again."""

import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import pikepdf
import psutil
import pypdf
import pytest

from icg_cert.lib import clock
from portfolios import libreoffice, previews, storage, tasks
from portfolios.models import Entry, Requirement, Upload
from portfolios.previews import WAIT
from tests.factories import MICROSECOND, make_requirement
from tests.portfolios import files, papers
from tests.portfolios.handing_in import hand_in_checked
from tests.threads import run_at_once

needs_libreoffice = pytest.mark.requires("soffice")


def text_of(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf)).pages).split())


def kept(upload: Upload, kind: str = "preview") -> bytes:
    with storage.default().open(upload.renditions.get(kind=kind).storage_key) as file:
        return file.read()


@pytest.fixture
def slot(entry: Entry) -> Requirement:
    return make_requirement(key="strategies", maximum=5)


@needs_libreoffice
def test_documents_are_shown_as_pdf_and_name_nobody(entry: Entry, slot: Requirement, noon: datetime) -> None:
    word = hand_in_checked(entry, slot, noon, papers.word_of_ada(), "a.docx")
    text = hand_in_checked(entry, slot, noon, papers.real_odt("My commentary."), "b.odt")
    paper = hand_in_checked(entry, slot, noon, files.pdf(), "c.pdf")
    assert list(previews.due(noon)) == [word, text]
    assert [previews.prepare(upload.pk, at=noon) for upload in (word, text, word, paper)] == [True, True, False, False]
    for upload in (word, text):
        upload.refresh_from_db()
        assert (upload.state, upload.worked_at, upload.remarks) == ("ready", None, [])
        assert "My commentary." in text_of(kept(upload))
        assert ("Put in." in text_of(kept(upload)), "Taken out." in text_of(kept(upload))) == (upload == word, False)
        assert b"bara" not in papers.laid_open(kept(upload))
        made = upload.renditions.get(kind="preview")
        assert (made.content_type, made.size, made.made_at) == ("application/pdf", len(kept(upload)), noon)
        with pikepdf.open(BytesIO(kept(upload))) as pdf:
            assert "/Info" not in pdf.trailer
    assert [made.kind for made in paper.renditions.all()] == ["clean"]


@needs_libreoffice
def test_tick_makes_what_is_due(entry: Entry, document: Requirement, noon: datetime) -> None:
    hand_in_checked(entry, document, noon)
    clock.jump_to(noon)
    assert [tasks.prepare_previews() for _ in range(2)] == [1, 0]


@needs_libreoffice
def test_long_document_gets_a_remark_and_stays_ready(entry: Entry, noon: datetime) -> None:
    short = make_requirement(key="audience", max_pages=1, maximum=2)
    long, right = (hand_in_checked(entry, short, noon, body, "a.docx") for body in (papers.pages(2), papers.pages(1)))
    for upload in (long, right):
        assert previews.prepare(upload.pk, at=noon)
        upload.refresh_from_db()
    assert (right.state, right.remarks, long.state) == ("ready", [], "ready")
    assert [remark["code"] for remark in long.remarks] == ["long"]
    assert long.remarks[0]["words"].startswith("As scorers see it, this document has 2 pages; the most is 1 page.")


class Spy(BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_error(404)

    do_HEAD = do_OPTIONS = do_GET  # noqa: N815  the names that the server looks for

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def spy() -> Iterator[str]:
    Spy.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Spy) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/picture.png"
        server.shutdown()


@needs_libreoffice
def test_conversion_asks_nothing_of_the_network(spy: str) -> None:
    """Of the document as it came; the clean rendition has nothing left to ask for in the first place."""
    assert libreoffice.to_pdf(papers.real_odt("Hello.", picture=spy), ".odt").startswith(b"%PDF-")
    assert Spy.asked == []


@needs_libreoffice
def test_conversion_that_takes_too_long_ends_with_all_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(libreoffice.NotConverted):
        libreoffice.to_pdf(papers.pages(1), ".docx", seconds=0.3)
    running = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    assert [command for command in running if str(tmp_path) in command] == []
    assert list(tmp_path.iterdir()) == []


@needs_libreoffice
@pytest.mark.django_db(transaction=True)
def test_two_workers_make_a_preview_once(entry: Entry, document: Requirement, noon: datetime) -> None:
    upload = hand_in_checked(entry, document, noon)
    assert sorted(run_at_once(lambda: previews.prepare(upload.pk, at=noon), times=2)) == [False, True]
    assert Upload.objects.get().processing_tries == 1


# ---- Without it


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: Any) -> bytes:
        raise libreoffice.NotConverted

    monkeypatch.setattr(libreoffice, "to_pdf", fails)


def test_preview_is_tried_three_times_with_waits(
    entry: Entry, document: Requirement, noon: datetime, broken: None
) -> None:
    upload = hand_in_checked(entry, document, noon)
    for number in range(3):
        now = noon + number * WAIT
        assert list(previews.due(now - MICROSECOND)) == ([] if number else [upload])
        with pytest.raises(libreoffice.NotConverted):
            previews.prepare(upload.pk, at=now)
        assert previews.prepare(upload.pk, at=now) is False
    assert not previews.due(noon + timedelta(days=1)).exists()
    upload.refresh_from_db()
    assert (upload.state, upload.processing_tries) == ("ready", 3)
    assert [made.kind for made in upload.renditions.all()] == ["clean"]


@pytest.mark.parametrize("change", [{"state": "replaced"}, {"state": "rejected"}, {"extension": ".pdf"}])
def test_what_needs_no_preview_is_not_due(
    entry: Entry, document: Requirement, noon: datetime, change: dict[str, str]
) -> None:
    hand_in_checked(entry, document, noon)
    assert previews.due(noon).count() == 1
    Upload.objects.update(**change)
    assert not previews.due(noon).exists()


def test_without_the_program_nothing_is_tried(
    entry: Entry, document: Requirement, noon: datetime, settings: Any, broken: None
) -> None:
    hand_in_checked(entry, document, noon)
    clock.jump_to(noon)
    settings.DOCUMENT_PREVIEWS = False
    assert tasks.prepare_previews() == 0
    assert Upload.objects.get().processing_tries == 0
