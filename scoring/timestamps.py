"""Moments of a film that a scorer wrote into a note: "[2:10]", or "[Film 2 2:10]" where an entry has several. Pure.

Minutes go on beyond 59, as the player's own stamp writes them (static/js/player.js).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_STAMP = re.compile(r"\[(?:film ([1-9][0-9]?) )?([0-9]{1,3}):([0-5][0-9])\]", re.ASCII | re.IGNORECASE)


Films = Mapping[int, int | None]  # the number of each, and its length in seconds where that is known


@dataclass(frozen=True, slots=True)
class Stamp:
    """`text` as it was written, the number of its film from 1, and the second in it."""

    text: str
    film: int
    second: int


def pieces(note: str, films: Films) -> list[str | Stamp]:
    """The note in order, cut into words and stamps. What names none of `films` stays words; so does a stamp without a
    film where there is more than one, and a moment behind its film's end.
    """
    found: list[str | Stamp] = []
    words_from = 0
    for match in _STAMP.finditer(note):
        stamp = _stamp(match, films)
        if stamp is None:
            continue
        found += [note[words_from : match.start()], stamp]
        words_from = match.end()
    return [piece for piece in [*found, note[words_from:]] if piece]


def stamps(note: str, films: Films) -> list[Stamp]:
    return [piece for piece in pieces(note, films) if isinstance(piece, Stamp)]


def _stamp(match: re.Match[str], films: Films) -> Stamp | None:
    number, minutes, seconds = match.groups()
    named = [int(number)] if number else list(films)
    if len(named) != 1 or named[0] not in films:
        return None
    second, end = int(minutes) * 60 + int(seconds), films[named[0]]
    return Stamp(match.group(), named[0], second) if end is None or second <= end else None
