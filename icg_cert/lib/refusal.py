"""The expected "no" of a verb."""


class Refused(Exception):
    """A verb will not do it, for a reason the person may know and act on. Nothing was changed.

    `code` is stable and for programs and tests ("window-closed"); `message` is a kind, plain sentence that is safe to
    show to the person who asked and says what to do. `fields` maps a form's field to its own message, where one is to
    blame.
    """

    def __init__(self, code: str, message: str, *, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = fields or {}
