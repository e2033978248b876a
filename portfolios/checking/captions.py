"""Captions as WebVTT or SubRip: read, held against the film, and written anew, so that nothing but times and plain
words is left of what came. Knows no model.
"""

import re
from collections.abc import Iterator
from html import escape, unescape
from io import StringIO
from itertools import pairwise

from webvtt import WebVTT
from webvtt.errors import MalformedCaptionError, MalformedFileError
from webvtt.models import Caption

from portfolios.checking import containers
from portfolios.checking.finding import Unusable
from portfolios.checking.naming import Passage
from portfolios.checking.videos import clock

MOST_CUES = 5000
LONGEST_LINE = 1000
_TAG = re.compile(r"<[^<>]*>")
_UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")  # control characters but the line end

NOT_TEXT = (
    "not-utf8",
    "This file is not saved as UTF-8 text, so letters with accents would be wrong. Open it in a text editor, save it "
    "with the encoding UTF-8, and choose that.",
)
NO_TEXT_AT_ALL = ("not-captions", "This is no caption file. Choose a .vtt or .srt file.")
NOT_CAPTIONS = (
    "not-captions",
    "This is not a caption file. It has to be WebVTT (it begins with the word WEBVTT) or SubRip (it begins with the "
    "number 1 and a line of times). Export it again as .vtt or .srt, and choose that.",
)
UNREADABLE = (
    "unreadable-times",
    "The times of some captions in this file cannot be read. They look like 00:01:05.000 --> 00:01:08.000. Mend "
    "them, or export the file again, and choose that.",
)
EMPTY = ("no-captions", "There is no caption in this file. Export it again, and choose that.")
TOO_MANY = (
    "too-many-captions",
    f"This file has more than {MOST_CUES:,} captions. Choose those of this film alone.",
)


def rewrite(body: bytes, *, max_ms: int | None) -> tuple[str, int]:
    """The captions as WebVTT of our own, and how many. Unusable unless they are in order and end by `max_ms`."""
    found = _parse(_text(body))
    if len(found) > MOST_CUES:
        raise Unusable(*TOO_MANY)
    _refuse_bad_times(found, max_ms)
    cues = [cue for caption in found if (cue := _cue(caption))]
    if not cues:
        raise Unusable(*EMPTY)
    return "\n\n".join(["WEBVTT", *cues]) + "\n", len(cues)


def passages(text: str) -> Iterator[Passage]:
    """The words of captions that `rewrite` wrote, each with its time."""
    for cue in text.strip().split("\n\n")[1:]:
        times, _, words = cue.partition("\n")
        hours, minutes, seconds = (int(part) for part in times.partition(".")[0].split(":"))
        yield Passage(f"at {clock(((hours * 60 + minutes) * 60 + seconds) * 1000)}", unescape(words))


def _text(body: bytes) -> str:
    if containers.family(body[: containers.HEAD]):
        raise Unusable(*NO_TEXT_AT_ALL)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unusable(*NOT_TEXT) from error
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip()
    if "\0" in text or any(len(line) > LONGEST_LINE for line in text.split("\n")):
        raise Unusable(*NOT_CAPTIONS)
    return text


def _parse(text: str) -> list[Caption]:
    """What the file is, it says itself, whatever its name. No caption that the parser passes over is lost unsaid."""
    try:
        found = WebVTT.from_buffer(StringIO(text), "vtt" if text.startswith("WEBVTT") else "srt").captions
    except MalformedFileError as error:
        raise Unusable(*NOT_CAPTIONS) from error
    except MalformedCaptionError as error:
        raise Unusable(*UNREADABLE) from error
    if len(found) != sum("-->" in line for line in text.split("\n")):
        raise Unusable(*UNREADABLE)
    return list(found)


def _refuse_bad_times(found: list[Caption], max_ms: int | None) -> None:
    for number, caption in enumerate(found, start=1):
        begins, ends = caption.start_time.in_milliseconds(), caption.end_time.in_milliseconds()
        if ends <= begins:
            raise Unusable(
                "ends-before-it-begins",
                f"Caption {number}, at {clock(begins)}, ends before it begins. Mend it, and choose the file again.",
            )
        if max_ms is not None and ends > max_ms:
            raise Unusable(
                "behind-the-end",
                f"Caption {number} ends at {clock(ends)}, after the film is over. Is this the file of another film?",
            )
    for number, (one, following) in enumerate(pairwise(found), start=2):
        if following.start_time < one.start_time:
            raise Unusable(
                "out-of-order",
                f"Caption {number} begins before the one above it. Put them in order, and choose the file again.",
            )


def _cue(caption: Caption) -> str:
    """Times and words; "" where no words are left. Names of speakers in tags go with the tags."""
    plain = unescape(_TAG.sub("", caption.raw_text))
    lines = [" ".join(_UNSEEN.sub(" ", line).split()) for line in plain.split("\n")]
    words = "\n".join(escape(line, quote=False) for line in lines if line)
    return f"{caption.start} --> {caption.end}\n{words}" if words else ""
