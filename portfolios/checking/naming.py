"""Where a text names the person who wrote it, or where they work. Pure.

Compared without accents. A single word counts only with a capital, so that "will" is not Will and "long" not Ms Long;
names of several words and addresses count however they are written.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SHORTEST = 3  # letters of a word that may tell somebody
MOST_PLACES = 3


@dataclass(frozen=True, slots=True)
class Person:
    """What would give somebody away, without spaces around it."""

    name: str
    email: str
    workplaces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document's text, and where it stands: "on page 2"."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Mention:
    """What of a person was found, as they themselves write it, and where, in the document's order."""

    term: str
    places: tuple[str, ...]
    is_workplace: bool


def mentions(person: Person, passages: Iterable[Passage]) -> list[Mention]:
    """Each thing that was found, in the order of `terms`; the longest that fits counts, and its parts beside it not."""
    wanted = terms(person)
    places: dict[str, dict[str, None]] = {term: {} for term in wanted}
    pattern = _pattern(wanted)
    for passage in passages if wanted else ():
        for found in pattern.finditer(folded(passage.text)):
            places[wanted[int(str(found.lastgroup)[1:])]][passage.place] = None
    workplaces = set(person.workplaces)
    return [Mention(term, tuple(where), term in workplaces) for term, where in places.items() if where]


def terms(person: Person) -> list[str]:
    """The whole name, the address, the workplaces, then the parts of the name; what is too short tells nobody."""
    whole = [person.name, person.email, *person.workplaces]
    found: dict[str, str] = {}
    for term in [*whole, *re.split(r"[\s\-.,]+", person.name)]:
        if len(re.sub(r"\W", "", term)) >= SHORTEST:
            found.setdefault(folded(term).casefold(), term)
    return list(found.values())


def folded(text: str) -> str:
    """Without accents, and with letters that are written as one taken apart."""
    taken_apart = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in taken_apart if not unicodedata.combining(letter))


def _pattern(wanted: Sequence[str]) -> re.Pattern[str]:
    longest_first = sorted(range(len(wanted)), key=lambda number: -len(wanted[number]))
    choices = "|".join(f"(?P<t{number}>{_spelt(wanted[number])})" for number in longest_first)
    return re.compile(rf"(?<![^\W_])(?:{choices})(?![^\W_])", re.IGNORECASE)


def _spelt(term: str) -> str:
    words = folded(term).split()
    if len(words) == 1 and "@" not in term:
        first, rest = words[0][0], words[0][1:]
        return f"(?-i:{re.escape(first.upper())}){re.escape(rest)}"
    return r"\s+".join(re.escape(word) for word in words)


def said(
    found: Sequence[Mention],
    *,
    what: str = "This document names",
    then: str = "take it out and upload it again, or hand it in as it is",
) -> str:
    """In words the candidate can act on: what names them, where, and that it is theirs to decide."""
    whom = "where you work" if all(mention.is_workplace for mention in found) else "you"
    listed = ", ".join(f"“{mention.term}” {_where(mention.places)}" for mention in found)
    return f"{what} {whom}: {listed}. Scoring is blind: {then}."


def _where(places: Sequence[str]) -> str:
    *first, last = places if len(places) <= MOST_PLACES else (*places[:MOST_PLACES], _more(len(places) - MOST_PLACES))
    return f"{', '.join(first)} and {last}" if first else last


def _more(count: int) -> str:
    return "in one more place" if count == 1 else f"in {count} more places"
