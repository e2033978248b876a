"""Files that people open in a spreadsheet: CSV, line by line however long, and no cell a formula."""

import csv
from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse


class _Line:
    """What csv writes to: hands each line on."""

    def write(self, line: str) -> str:
        return line


def plain_cell(value: object) -> object:
    """A spreadsheet takes a text that begins so for a formula. Numbers are no texts, and stay negative."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value


def download(name: str, heads: Iterable[str], rows: Iterable[Iterable[object]]) -> StreamingHttpResponse:
    """The rows as an attachment called `name`, taken one by one while it is sent. Kept by no cache."""
    writer = csv.writer(_Line())

    def lines() -> Iterator[str]:
        yield writer.writerow(heads)
        for row in rows:
            yield writer.writerow([plain_cell(cell) for cell in row])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response
