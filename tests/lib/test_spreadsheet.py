from collections.abc import Iterator
from decimal import Decimal

import pytest

from icg_cert.lib import spreadsheet


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_plain_cell_is_no_formula(text: str) -> None:
    assert spreadsheet.plain_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["", "Ada", "1-2", Decimal("-4.00"), -3, None])
def test_plain_cell_leaves_the_rest_alone(value: object) -> None:
    assert spreadsheet.plain_cell(value) is value


def test_download_takes_rows_while_it_is_sent() -> None:
    taken = []

    def rows() -> Iterator[list[object]]:
        for number in (1, 2):
            taken.append(number)
            yield [number, '=cmd|"x"', "a, b"]

    response = spreadsheet.download("pairs.csv", ["n", "text", "more"], rows())
    assert taken == []
    assert response.getvalue().decode() == 'n,text,more\r\n1,"\'=cmd|""x""","a, b"\r\n2,"\'=cmd|""x""","a, b"\r\n'
    assert dict(response.headers) == {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": 'attachment; filename="pairs.csv"',
        "Cache-Control": "private, no-store",
    }
