"""The range matrix of RFC 9110, on a file of 1000 bytes answered at most 100 at a time."""

import pytest

from portfolios.ranges import Span, Unsatisfiable, span


@pytest.mark.media_case(36)
@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("bytes=0-", Span(0, 100)),
        ("bytes=0-0", Span(0, 1)),
        ("bytes=0-99", Span(0, 100)),
        ("bytes=0-100", Span(0, 100)),
        ("bytes=900-", Span(900, 100)),
        ("bytes=901-", Span(901, 99)),
        ("bytes=999-", Span(999, 1)),
        ("bytes=990-5000", Span(990, 10)),
        ("bytes=-1", Span(999, 1)),
        ("bytes=-50", Span(950, 50)),
        ("bytes=-5000", Span(0, 100)),
        (f"bytes=990-{'9' * 5000}", Span(990, 10)),
        (f"bytes=-{'9' * 5000}", Span(0, 100)),
        ("BYTES=5-6", Span(5, 2)),
        ("bytes= 5-6 ", Span(5, 2)),
        ("", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=5-4", None),
        ("bytes=0-1,5-6", None),
        ("items=0-5", None),
        ("bytes=a-b", None),
        ("bytes=٣-٤", None),
        ("0-5", None),
    ],
)
def test_span(header: str, found: Span | None) -> None:
    assert span(header, 1000, most=100) == found


@pytest.mark.media_case(36)
@pytest.mark.parametrize(
    "header", ["bytes=1000-", "bytes=1000-1001", "bytes=5000-", "bytes=-0", f"bytes={'9' * 5000}-"]
)
def test_span_behind_the_end(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        span(header, 1000, most=100)
