"""Caption files, good and bad: what is read, what is left of it, and in which words the rest is refused."""

from contextlib import suppress
from io import StringIO

import pytest
from webvtt import WebVTT

from portfolios.checking.captions import LONGEST_LINE, MOST_CUES, NO_TEXT_AT_ALL, passages, rewrite
from portfolios.checking.finding import Unusable
from portfolios.checking.naming import Passage
from tests.portfolios import files, films

VTT = "WEBVTT\n\n00:01.000 --> 00:02.500\nGood morning.\n"
SRT = "1\n00:00:01,000 --> 00:00:02,500\nGood morning.\n"
OURS = "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nGood morning.\n"


def cue(text: str) -> str:
    """The words that are left of one caption's."""
    written, count = rewrite(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{text}\n".encode(), max_ms=None)
    assert count == 1
    return written.partition("00:00:02.000\n")[2].rstrip("\n")


def refusal(body: bytes | str, max_ms: int | None = None) -> str:
    with pytest.raises(Unusable) as caught:
        rewrite(body.encode() if isinstance(body, str) else body, max_ms=max_ms)
    assert caught.value.words.endswith((".", "?"))
    return caught.value.code


@pytest.mark.parametrize(
    "body",
    [
        VTT.encode(),
        SRT.encode(),
        b"\xef\xbb\xbf" + VTT.encode(),
        b"\xef\xbb\xbf\r\n\r\n" + SRT.replace("\n", "\r\n").encode(),
        VTT.replace("\n", "\r").encode(),
        VTT.replace("WEBVTT", "WEBVTT - Export of a program\nKind: captions\nLanguage: en").encode(),
        VTT.replace("00:02.500", "00:02.500 align:start position:0% line:10%").encode(),
        VTT.replace("00:01.000", "a name\n00:01.000").encode(),
        VTT.replace("\n\n", "\n\nNOTE made by Ada\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:one\n\n", 1).encode(),
        SRT.encode() + b"\n2\n00:00:02,000 --> 00:00:02,500\n<i></i>\n",
    ],
)
def test_captions_are_written_anew(body: bytes) -> None:
    assert rewrite(body, max_ms=2500) == (OURS, 1)


@pytest.mark.parametrize("body", [files.word(), files.pdf(), files.film(), films.good("mkv")])
def test_other_kinds_of_files_are_told_so(body: bytes) -> None:
    with pytest.raises(Unusable) as caught:
        rewrite(body, max_ms=None)
    assert (caught.value.code, caught.value.words) == NO_TEXT_AT_ALL


def test_words_of_captions_stand_with_their_times() -> None:
    text, _ = rewrite(f"{VTT}\n01:01:05.000 --> 01:01:06.000\n5 &lt; 6\nA line".encode(), max_ms=None)
    assert list(passages(text)) == [Passage("at 0:01", "Good morning."), Passage("at 61:05", "5 < 6\nA line")]
    assert list(passages("")) == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<v Ada Abara>What went well?</v>", "What went well?"),
        ("<b>What</b> <c.loud>went</c> <00:01.500>well?", "What went well?"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("&lt;script&gt; &amp; more", "&lt;script&gt; &amp; more"),
        ("5 < 6 & 7", "5 &lt; 6 &amp; 7"),
        ("  two   words \nand a line", "two words\nand a line"),
        ("bell\x07, tab\there", "bell , tab here"),
        ("Größe – ¿qué?", "Größe – ¿qué?"),
    ],
)
def test_of_a_caption_only_its_words_are_left(text: str, left: str) -> None:
    assert cue(text) == left


def test_what_is_written_can_be_read_again_and_is_then_the_same() -> None:
    body = "WEBVTT\n\n" + "".join(
        f"{number:02}:00.000 --> {number:02}:59.000\n<v Ben>Line {number} & <b>more</b>\nand 2 > 1\n\n"
        for number in range(30)
    )
    once, count = rewrite(body.encode(), max_ms=1_799_000)
    assert rewrite(once.encode(), max_ms=1_799_000) == (once, count) == (once, 30)
    assert len(WebVTT.from_buffer(StringIO(once))) == 30


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("Grüße".encode("latin-1") + b"\n" + VTT.encode(), "not-utf8"),
        (VTT.encode("utf-16"), "not-utf8"),
        (b"", "not-captions"),
        ("Good morning.", "not-captions"),
        (VTT.replace("WEBVTT\n", ""), "not-captions"),
        (VTT + "\0", "not-captions"),
        (b"%PDF-1.7\n1 0 obj\n", "not-captions"),
        (VTT + "x" * (LONGEST_LINE + 1), "not-captions"),
        ("WEBVTT\n", "no-captions"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\n<b></b>\n", "no-captions"),
        (VTT + "\n00:05 --> 00:06\nNo milliseconds.\n", "unreadable-times"),
        (VTT + "\n00:05.000 -> 00:06.000\nNo arrow.\n\n00:99.000 --> 00:99.500\nx\n", "unreadable-times"),
        (SRT + "\n2\n00:00:05 --> 00:00:06\nx\n", "unreadable-times"),
    ],
)
def test_what_is_no_caption_file_is_refused(body: bytes | str, code: str) -> None:
    assert refusal(body) == code


def timed(*times: str) -> str:
    return "WEBVTT\n\n" + "".join(f"{time}\nWords.\n\n" for time in times)


@pytest.mark.parametrize(
    ("times", "code"),
    [
        (["00:02.000 --> 00:02.000"], "ends-before-it-begins"),
        (["00:02.000 --> 00:01.999"], "ends-before-it-begins"),
        (["00:01.000 --> 00:10.001"], "behind-the-end"),
        (["00:05.000 --> 00:06.000", "00:04.999 --> 00:07.000"], "out-of-order"),
    ],
)
def test_times_that_cannot_be_are_refused(times: list[str], code: str) -> None:
    assert refusal(timed(*times), max_ms=10_000) == code


def test_times_at_the_edge_are_good() -> None:
    edge = timed("00:00.000 --> 00:00.001", "00:00.000 --> 00:10.000", "00:09.999 --> 00:10.000")
    assert rewrite(edge.encode(), max_ms=10_000)[1] == 3
    assert rewrite(timed("99:59:58.000 --> 99:59:59.000").encode(), max_ms=None)[1] == 1


@pytest.mark.parametrize(("count", "is_refused"), [(MOST_CUES, False), (MOST_CUES + 1, True)])
def test_number_of_captions(count: int, is_refused: bool) -> None:
    body = timed(*["00:01.000 --> 00:02.000"] * count)
    if is_refused:
        assert refusal(body) == "too-many-captions"
    else:
        assert rewrite(body.encode(), max_ms=None)[1] == count


def test_message_names_the_caption() -> None:
    with pytest.raises(Unusable, match="behind-the-end") as caught:
        rewrite(timed("00:01.000 --> 00:02.000", "01:05.000 --> 01:15.500").encode(), max_ms=60_000)
    assert caught.value.words.startswith("Caption 2 ends at 1:16, after the film is over.")


@pytest.mark.parametrize("hostile", ["<" * 900_000, ("<" * 999 + "\n") * 900, "&" * 999, ("x\n" * 400_000)])
def test_hostile_words_are_answered_soon(hostile: str) -> None:
    """Nothing in here takes longer for being twice as long; a pattern that did would not come back for hours."""
    with suppress(Unusable):
        rewrite(f"{VTT}{hostile}".encode(), max_ms=None)
