"""The outcome of looking at a file."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """What a good file is like: milliseconds and upright pixels of a video, pages of a PDF, a poster as JPEG.

    `remarks` are what its candidate should look at though it can be used, each with "code" and "words".
    """

    duration_ms: int | None = None
    width: int | None = None
    height: int | None = None
    has_sound: bool | None = None
    pages: int | None = None
    poster: bytes = b""
    remarks: list[dict[str, str]] = field(default_factory=list)


class Unusable(Exception):
    """The file cannot be used. `code` is stable; `words` tell the candidate what is wrong and what to do."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(code)
        self.code = code
        self.words = words
