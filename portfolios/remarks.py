"""What a candidate should look at though their file is usable, as `Upload.remarks` keeps it: one of each code."""

from collections.abc import Iterable

from candidates.models import Registration
from portfolios.checking import naming
from portfolios.checking.naming import Passage, Person
from portfolios.models import Upload

CAPTIONS, TRANSCRIPT = "captions-name-you", "transcript-names-you"
OF_WORDS = {
    CAPTIONS: ("These captions name", "take it out and choose the file again, or leave it as it is"),
    TRANSCRIPT: ("This transcript names", "take it out and save it again, or leave it as it is"),
}


def person(registration: Registration) -> Person:
    workplaces = (registration.school, registration.district, registration.employer)
    return Person(registration.user.name.strip(), registration.user.email, tuple(each.strip() for each in workplaces))


def note_names(upload: Upload, code: str, passages: Iterable[Passage]) -> None:
    """Where captions or transcript name their candidate, in place of what was noted of those before. The caller has
    locked the row.
    """
    found = naming.mentions(person(upload.entry.registration), passages)
    what, then = OF_WORDS[code]
    named = [{"code": code, "words": naming.said(found, what=what, then=then)}] if found else []
    upload.remarks = [remark for remark in upload.remarks if remark["code"] != code] + named
    upload.save(update_fields=["remarks"])


def of_words(upload: Upload) -> list[dict[str, str]]:
    """Those that a check of the film itself leaves alone."""
    return [remark for remark in upload.remarks if remark["code"] in OF_WORDS]
