"""What keeps a scorer from reading an entry, and in which words. Pure: people and places are compared as typed.

Scoring is blind, so neither side can point at the other: each says whom and which places they know, by name or e-mail,
and what they said is compared with who the other is.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

SELF, READ_BEFORE, READS_IT = "self", "read before", "reads it"
RECUSED, DECLARED, SUPERVISOR = "recused", "declared", "supervisor"
DISTRICT, EMPLOYER, SCHOOL, MAIL_DOMAIN = "district", "employer", "school", "mail domain"
UNSIGNED, UNQUALIFIED, PAUSED, SHARE = "unsigned", "unqualified", "paused", "share"

# Each for one scorer and for several, as "2 work in the candidate's district".
WORDS = {
    SELF: ("may not judge this candidate", "may not judge this candidate"),  # a lead must not learn who it is
    READ_BEFORE: ("knows an earlier attempt", "know an earlier attempt"),
    READS_IT: ("reads this entry already", "read this entry already"),
    RECUSED: ("has stepped back from this candidate", "have stepped back from this candidate"),
    DECLARED: ("has a declared tie to this candidate", "have a declared tie to this candidate"),
    SUPERVISOR: ("supervises the candidate", "supervise the candidate"),
    DISTRICT: ("works in the candidate's district", "work in the candidate's district"),
    EMPLOYER: ("works for the candidate's employer", "work for the candidate's employer"),
    SCHOOL: ("works at the candidate's school", "work at the candidate's school"),
    MAIL_DOMAIN: (
        "has a mail address of the candidate's workplace",
        "have a mail address of the candidate's workplace",
    ),
    UNSIGNED: ("has not signed this year's statement", "have not signed this year's statement"),
    UNQUALIFIED: ("is not qualified for this factor", "are not qualified for this factor"),
    PAUSED: ("is paused for this factor", "are paused for this factor"),
    SHARE: ("holds their share of this candidate", "hold their share of this candidate"),
}
# What staff cannot set aside: nobody judges themselves, a second opinion has to be one, and leads lift a pause.
NEVER = frozenset({SELF, READ_BEFORE, READS_IT, PAUSED})


@dataclass(frozen=True, slots=True)
class Declared:
    """That somebody has a tie to a person or a place, as they wrote it."""

    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """One side, in plain names: who they are, where they work, whom and what they declared."""

    key: int
    name: str
    emails: tuple[str, ...]  # one's own first, then a supervisor's
    district: str = ""
    employer: str = ""
    school: str = ""
    declared: tuple[Declared, ...] = field(default=())

    @property
    def places(self) -> frozenset[str]:
        return workplaces(self.district, self.employer, self.school)

    def declares(self, other: "Person") -> bool:
        """Whether one of the people or places this one named is the other, or where the other works."""
        names = other.places | {plain(other.name)} - {""}
        own = other.emails[0].strip().casefold()
        return any(plain(one.name) in names or one.email.strip().casefold() == own for one in self.declared)


def between(candidate: Person, scorer: Person, public_domains: frozenset[str]) -> str | None:
    """The first tie between two people; None where there is none."""
    if candidate.key == scorer.key:
        return SELF
    if candidate.declares(scorer) or scorer.declares(candidate):
        return DECLARED
    if scorer.emails[0].strip().casefold() in {email.strip().casefold() for email in candidate.emails[1:]}:
        return SUPERVISOR
    for tie, place in ((DISTRICT, candidate.district), (EMPLOYER, candidate.employer), (SCHOOL, candidate.school)):
        if plain(place) and plain(place) in scorer.places:
            return tie
    shared = _domains(candidate) & _domains(scorer)
    return MAIL_DOMAIN if shared - public_domains else None


def workplaces(*names: str) -> frozenset[str]:
    """Names of districts, employers and schools, so that spelling does not hide that two are the same."""
    return frozenset(filter(None, (plain(name) for name in names)))


def in_words(against: Iterable[tuple[str, int]]) -> str:
    """ "2 work in the candidate's district, 1 knows an earlier attempt"."""
    return ", ".join(f"{count} {WORDS[why][count > 1]}" for why, count in against)


@lru_cache(maxsize=10_000)  # a cycle compares thousands of candidates with the same few names
def plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.replace("&", " and ")).casefold()
    kept = "".join(c if c.isalnum() else " " for c in letters if not unicodedata.combining(c) and c not in "'’.")
    words = kept.split()
    return " ".join(words[1:] if words[:1] == ["the"] else words)


def _domains(person: Person) -> frozenset[str]:
    return frozenset(email.rpartition("@")[2].strip().casefold() for email in person.emails) - {""}
