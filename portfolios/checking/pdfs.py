"""PDF documents, opened with qpdf (pikepdf), which repairs silently: what it had to repair is damaged."""

from typing import Any, BinaryIO

import pikepdf

from portfolios.checking.finding import Finding, Unusable
from portfolios.checking.pdf_objects import dictionaries

PRINT = "Print it to a new PDF (choose “Save as PDF” in place of a printer), and upload that."
DAMAGED = ("damaged", "This PDF is damaged. Export it again from the program it comes from, and upload that.")
ENCRYPTED = ("encrypted", "This PDF is protected by a password. Export a copy without one, and upload that.")
RESTRICTED = ("restricted", f"This PDF is restricted in a way that only some programs can open. {PRINT}")
EMPTY = ("no-pages", "This PDF has no pages. Export it again, and upload that.")
SCRIPTS = ("scripts", f"This PDF contains a script. {PRINT}")
FILES_INSIDE = ("files-inside", f"This PDF has other files inside it, which nobody would read. {PRINT}")
STARTS_PROGRAMS = ("starts-programs", f"This PDF opens other files or programs by itself. {PRINT}")

# What an action is called (/S), what an annotation is (/Subtype), and the keys that carry the rest.
_ACTIONS = [
    (pikepdf.Name.JavaScript, SCRIPTS),
    (pikepdf.Name.Rendition, FILES_INSIDE),
    (pikepdf.Name.Launch, STARTS_PROGRAMS),
    (pikepdf.Name.GoToE, STARTS_PROGRAMS),
    (pikepdf.Name.ImportData, STARTS_PROGRAMS),
    (pikepdf.Name.SubmitForm, STARTS_PROGRAMS),
]
_ANNOTATIONS = [pikepdf.Name(f"/{kind}") for kind in ("FileAttachment", "RichMedia", "Movie", "Sound", "Screen", "3D")]
_KEYS = {"/JS": SCRIPTS, "/JavaScript": SCRIPTS, "/XFA": SCRIPTS, "/EF": FILES_INSIDE, "/EmbeddedFiles": FILES_INSIDE}


def check(file: BinaryIO, max_pages: int) -> Finding:
    """Unusable unless it opens without a password and without repair, is but paper, and has 1 to `max_pages` pages.

    What its owner forbids whoever opens it (to print, to copy) does not matter: the clean copy is written without.
    """
    try:
        with pikepdf.open(file) as pdf:
            pages, acts = len(pdf.pages), _first_act(pdf)
            repaired = pdf.get_warnings()
    except pikepdf.PasswordError as error:
        raise Unusable(*ENCRYPTED) from error
    except (pikepdf.PikepdfError, UnicodeDecodeError) as error:  # the latter: names that are no text
        raise Unusable(*(RESTRICTED if "unsupported encryption" in str(error) else DAMAGED)) from error
    if repaired:
        raise Unusable(*DAMAGED)
    if acts:
        raise Unusable(*acts)
    return _counted(pages, max_pages)


def _first_act(pdf: pikepdf.Pdf) -> tuple[str, str] | None:
    return next((act for one in dictionaries(pdf) if (act := _act(one))), None)


def _act(one: Any) -> tuple[str, str] | None:
    """What this dictionary would do beyond lying there as paper; None for nothing."""
    for key, act in _KEYS.items():
        if key in one:
            return act
    if one.get("/Subtype") in _ANNOTATIONS or one.get("/Type") == pikepdf.Name.EmbeddedFile:
        return FILES_INSIDE
    kind = one.get("/S")
    return next((act for name, act in _ACTIONS if kind == name), None)


def _counted(pages: int, max_pages: int) -> Finding:
    if pages == 0:
        raise Unusable(*EMPTY)
    if pages > max_pages:
        most = "1 page" if max_pages == 1 else f"{max_pages} pages"
        raise Unusable(
            "too-many-pages", f"This PDF has {pages} pages; the most is {most}. Shorten it, and upload that."
        )
    return Finding(pages=pages)
