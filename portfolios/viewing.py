"""What there is to see of a file that was handed in: which rendition, how a film is called, how far it is prepared."""

from collections.abc import Iterable
from dataclasses import dataclass

from portfolios.checking.videos import clock
from portfolios.completeness import is_usable
from portfolios.models import Rendition, Upload, UploadQuerySet

Kind = Rendition.Kind
State = Upload.State

FILMS = (Kind.FILM, Kind.QUICK)  # the best first
DOCUMENTS = (Kind.PREVIEW, Kind.CLEAN)
ORIGINAL = "original"


@dataclass(frozen=True, slots=True)
class Showing:
    """One file as those who read it see it. `number` counts the films of its entry from 1; 0 for a document."""

    upload: Upload
    number: int = 0
    label: str = ""

    @property
    def best(self) -> Rendition | None:
        return rendition(self.upload)

    @property
    def shown_as(self) -> str:
        """What its address names, so that who began to watch one rendition is not given the bytes of another."""
        return self.best.kind if self.best else ORIGINAL

    @property
    def has_poster(self) -> bool:
        return Kind.POSTER in _made(self.upload)

    @property
    def has_captions(self) -> bool:
        return Kind.CAPTIONS in _made(self.upload)

    @property
    def is_given_up(self) -> bool:
        """There is nothing to see, and there will not be unless somebody of staff mends it."""
        return self.best is None and self.upload.state == State.FAILED and is_usable(self.upload)

    @property
    def is_waiting(self) -> bool:
        return self.best is None and not self.is_given_up

    @property
    def seconds(self) -> int | None:
        """One that has begun counts."""
        return -(-self.upload.duration_ms // 1000) if self.upload.duration_ms else None

    @property
    def length(self) -> str:
        return clock(self.upload.duration_ms) if self.upload.duration_ms else ""


def rendition(upload: Upload, wanted: str = "") -> Rendition | None:
    """What a reader is given: the rendition they began with (`wanted`) while it is there, else the best there is."""
    order, made = FILMS if upload.requirement.is_video else DOCUMENTS, _made(upload)
    return next((made[kind] for kind in (wanted, *order) if kind in order and kind in made), None)


def showings(uploads: UploadQuerySet) -> list[Showing]:
    """The files of one entry in order. A film that was withdrawn since they were submitted is not among them, but keeps
    its number: the notes of scorers name films by it.
    """
    counted = (uploads.filter(state__in=Upload.HANDED_IN) | uploads.taken_back()).select_related("requirement")
    found = list(counted.order_by("requirement__position", "created_at", "pk").prefetch_related("renditions"))
    return [showing for showing in _numbered(found) if showing.upload.state != State.WITHDRAWN]


def _numbered(uploads: list[Upload]) -> Iterable[Showing]:
    films = [upload for upload in uploads if upload.requirement.is_video]
    for upload in uploads:
        number = films.index(upload) + 1 if upload in films else 0
        yield Showing(upload, number, f"Film {number}" if number and len(films) > 1 else "")


def _made(upload: Upload) -> dict[str, Rendition]:
    return {made.kind: made for made in upload.renditions.all()}
