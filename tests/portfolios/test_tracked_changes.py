"""Tracked changes are accepted: every kind of them, in text, looks and tables, and nothing else is touched."""

import pytest
from lxml import etree

from portfolios.checking import tracked_changes
from tests.portfolios import papers

STRICT = papers.WORD.replace("schemas.openxmlformats.org/wordprocessingml/2006", "purl.oclc.org/ooxml/wordprocessingml")
MARK_OUT = "<w:pPr><w:rPr><w:del/></w:rPr></w:pPr>"


def accepted(inside: str, names: str = papers.WORD) -> str:
    root = etree.fromstring(f"<body {names}>{inside}</body>")
    tracked_changes.accept(root)
    return str(etree.tostring(root, encoding="unicode")).partition(">")[2].rpartition("<")[0]


def p(inside: str) -> str:
    return f"<w:p>{inside}</w:p>"


def r(text: str) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>"


@pytest.mark.parametrize(
    ("tracked", "left"),
    [
        (p(f"{r('a')}<w:del w:id='1'>{r('b')}</w:del>{r('c')}"), p(r("a") + r("c"))),
        (p(f"{r('a')}<w:ins w:id='1'>{r('b')}{r('c')}</w:ins>{r('d')}"), p(r("a") + r("b") + r("c") + r("d"))),
        (p(f"<w:ins>{r('a')}<w:del>{r('b')}</w:del></w:ins>"), p(r("a"))),
        (p(f"<w:del><w:ins>{r('a')}</w:ins></w:del>{r('b')}"), p(r("b"))),
        (
            p(f"<w:moveFromRangeStart/><w:moveFrom>{r('a')}</w:moveFrom><w:moveFromRangeEnd/>{r('b')}")
            + p(f"<w:moveToRangeStart/><w:moveTo>{r('a')}</w:moveTo><w:moveToRangeEnd/>"),
            p(r("b")) + p(r("a")),
        ),
        ("<w:rPr><w:b/><w:rPrChange><w:rPr><w:i/></w:rPr></w:rPrChange></w:rPr>", "<w:rPr><w:b/></w:rPr>"),
        ("<w:pPr><w:jc/><w:pPrChange><w:pPr/></w:pPrChange></w:pPr>", "<w:pPr><w:jc/></w:pPr>"),
        ("<w:sectPr><w:sectPrChange/></w:sectPr>", "<w:sectPr/>"),
        (p("<w:customXmlDelRangeStart/>" + r("a") + "<w:customXmlDelRangeEnd/>"), p(r("a"))),
        (
            p(f"{MARK_OUT}{r('a')}<w:del>{r('b')}</w:del>") + p(f"<w:pPr><w:jc/></w:pPr>{r('c')}"),
            p(f"<w:pPr><w:jc/></w:pPr>{r('a')}{r('c')}"),
        ),
        (p(MARK_OUT + r("a")) + p(MARK_OUT) + p(r("b")), p(r("a") + r("b"))),
        (p(MARK_OUT + r("a")), p("<w:pPr><w:rPr/></w:pPr>" + r("a"))),
        (p("<w:pPr><w:rPr><w:ins/></w:rPr></w:pPr>"), p("<w:pPr><w:rPr/></w:pPr>")),
        (
            f"<w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc>{p(r('a'))}</w:tc></w:tr><w:tr><w:trPr><w:ins/></w:trPr></w:tr>"
            "</w:tbl>",
            "<w:tbl><w:tr><w:trPr/></w:tr></w:tbl>",
        ),
        ("<w:tbl><w:tr><w:trPr><w:del/></w:trPr></w:tr></w:tbl><w:p/>", "<w:p/>"),
        (
            "<w:tr><w:tc><w:tcPr><w:cellDel/></w:tcPr></w:tc><w:tc><w:tcPr><w:cellIns/></w:tcPr></w:tc></w:tr>",
            "<w:tr><w:tc><w:tcPr/></w:tc></w:tr>",
        ),
        (p("<w:delText>a</w:delText><w:insideH/>"), p("<w:delText>a</w:delText><w:insideH/>")),
        (p("<ins>a</ins><del>b</del>"), p("<ins>a</ins><del>b</del>")),
    ],
)
def test_word(tracked: str, left: str) -> None:
    assert accepted(tracked) == left
    assert accepted(tracked, STRICT) == left


def test_opendocument_keeps_what_stands_behind_a_mark() -> None:
    tracked = (
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>out</text:p></text:deletion>"
        "</text:changed-region></text:tracked-changes><text:p>a<text:change/>b<text:s/><text:change-start/>c"
        "<text:change-end/>d</text:p>"
    )
    assert accepted(tracked, papers.ODF) == "<text:p>ab<text:s/>cd</text:p>"
