"""The shape of what is sent to the portfolio's doors. Whether it may be is the verbs' question."""

import re
from typing import Any

from django import forms

from portfolios import captions, filenames
from portfolios.consents import NAME_THEM
from portfolios.models import Upload
from portfolios.receipts import MOST
from portfolios.uploads import Announced
from portfolios.viewing import Showing


class AnnounceForm(forms.Form):
    """What the browser says of a file before it sends it. `slot` is "<entry>-<requirement>"."""

    slot = forms.RegexField(r"\A\d{1,18}-\d{1,18}\Z")
    filename = forms.Field()
    size = forms.IntegerField(min_value=0, max_value=2**50)
    fingerprint = forms.RegexField(r"\A[0-9a-f]{64}\Z")
    consent = forms.BooleanField(required=False)

    def clean_filename(self) -> str:
        return filenames.clean(str(self.cleaned_data["filename"]))

    @property
    def keys(self) -> tuple[int, int]:
        entry, requirement = self.cleaned_data["slot"].split("-")
        return int(entry), int(requirement)

    @property
    def announced(self) -> Announced:
        data = self.cleaned_data
        return Announced(data["filename"], data["size"], data["fingerprint"])


class FileForm(forms.Form):
    """One file of a plain form. Emptiness and type are told by the verb, in the same words as everywhere."""

    file = forms.FileField(
        allow_empty_file=True, error_messages={"required": "Choose a file first, then press Upload."}
    )
    consent = forms.BooleanField(required=False)


class CaptionsForm(forms.Form):
    """Captions and transcript of one film. What is in the file is judged by the verb."""

    NO_NAMES = "Do not write names: scoring is blind, and who is seen in the film has not agreed to be named."
    file = forms.FileField(
        label="Caption file",
        required=False,
        allow_empty_file=True,
        help_text=f"A .vtt or .srt file in English, at most 1 MB. {NO_NAMES}",
        widget=forms.FileInput(attrs={"accept": ".vtt,.srt,text/vtt,application/x-subrip"}),
    )
    remove = forms.BooleanField(label="Remove the captions that are here", required=False)
    transcript = forms.CharField(
        label="Transcript",
        required=False,
        strip=False,
        max_length=captions.LONGEST_TRANSCRIPT,
        help_text=f"What is said, for whoever reads rather than listens. Say who speaks by role. {NO_NAMES}",
        widget=forms.Textarea(attrs={"rows": 14}),
    )

    def __init__(self, data: Any = None, files: Any = None, *, upload: Upload) -> None:
        super().__init__(data, files, initial={"transcript": upload.transcript})
        if not Showing(upload).has_captions:
            del self.fields["remove"]

    def clean_transcript(self) -> str:
        return str(self.cleaned_data["transcript"]).replace("\r\n", "\n").strip()


class ConsentForm(forms.Form):
    """What the people in a film agreed to. Use for training is asked for apart, and never ticked beforehand."""

    agreed = forms.BooleanField(
        label="I confirm this", error_messages={"required": "Tick this if it is so. If it is not, remove the video."}
    )
    releases = forms.CharField(
        label="The signed releases you hold for this video",
        help_text="One a line, for example: Teacher release, 3 May. Class release list. Only you and staff see this.",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": NAME_THEM},
    )
    training = forms.BooleanField(required=False, label="Yes, it may also be used for training")

    def __init__(self, *args: Any, asks_training: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not asks_training:
            del self.fields["training"]


class WithdrawForm(forms.Form):
    """The candidate may say why; staff must (in the admin)."""

    reason = forms.CharField(
        required=False,
        max_length=2000,
        label="What happened",
        help_text="Staff can read it. Write no names.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ReceiptForm(forms.Form):
    """A receipt that somebody brings: the downloaded file, or its text."""

    file = forms.FileField(label="The receipt, as it was downloaded", required=False, allow_empty_file=True)
    text = forms.CharField(
        label="Or its text", required=False, strip=True, widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})
    )

    def clean(self) -> dict[str, Any]:
        file, text = self.cleaned_data.get("file"), self.cleaned_data.get("text", "")
        brought = file.read(MOST + 1).decode(errors="replace") if file else text
        if not brought:
            self.add_error("file", "Choose the file of the receipt, or paste its text.")
        return {"text": brought}


def wanted_parts(data: dict[str, Any], most: int) -> list[tuple[int, str]] | None:
    """(number, base64 SHA-256 or "") of each part of {"parts": [{"n", "sha256"}]}; None when it has another shape."""
    parts = data.get("parts")
    if not isinstance(parts, list) or not 1 <= len(parts) <= most:
        return None
    found = [_part(part) for part in parts]
    return None if None in found else [part for part in found if part]


def _part(part: Any) -> tuple[int, str] | None:
    if not isinstance(part, dict) or type(part.get("n")) is not int:
        return None
    sha = part.get("sha256", "")
    is_sha = isinstance(sha, str) and re.fullmatch(r"|[A-Za-z0-9+/]{43}=", sha)
    return (part["n"], sha) if is_sha else None
