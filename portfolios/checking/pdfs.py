"""PDF documents, opened with qpdf (pikepdf), which repairs silently: what it had to repair is damaged."""

from typing import BinaryIO

import pikepdf

from portfolios.checking.finding import Finding, Unusable

DAMAGED = ("damaged", "This PDF is damaged. Export it again from the program it comes from, and upload that.")
ENCRYPTED = ("encrypted", "This PDF is protected by a password. Export a copy without one, and upload that.")
EMPTY = ("no-pages", "This PDF has no pages. Export it again, and upload that.")


def check(file: BinaryIO, max_pages: int) -> Finding:
    """Unusable unless it opens without a password and without repair and has 1 to `max_pages` pages."""
    try:
        with pikepdf.open(file) as pdf:
            pages, encrypted, repaired = len(pdf.pages), pdf.is_encrypted, pdf.get_warnings()
    except pikepdf.PasswordError as error:
        raise Unusable(*ENCRYPTED) from error
    except pikepdf.PikepdfError as error:
        raise Unusable(*DAMAGED) from error
    if encrypted:
        raise Unusable(*ENCRYPTED)
    if repaired:
        raise Unusable(*DAMAGED)
    return _counted(pages, max_pages)


def _counted(pages: int, max_pages: int) -> Finding:
    if pages == 0:
        raise Unusable(*EMPTY)
    if pages > max_pages:
        most = "1 page" if max_pages == 1 else f"{max_pages} pages"
        raise Unusable(
            "too-many-pages", f"This PDF has {pages} pages; the most is {most}. Shorten it, and upload that."
        )
    return Finding(pages=pages)
