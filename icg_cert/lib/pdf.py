"""PDFs from Typst templates in templates/pdf/. Data goes in as JSON, never as markup."""

import json
from pathlib import Path
from typing import Any

import typst
from django.conf import settings

TEMPLATES = Path(settings.BASE_DIR) / "templates" / "pdf"


def render(template: str, data: dict[str, Any]) -> bytes:
    """The PDF/UA bytes of `templates/pdf/<template>`, which reads `json(bytes(sys.inputs.data))`.

    A name in a script for which no font is installed is printed as boxes, in a PDF that does not claim UA: better than
    no document. A template error is a defect of ours and raises `typst.TypstError`.
    """
    try:
        return _compile(template, data, ["ua-1"])
    except typst.TypstError as error:
        if "could not be displayed" not in str(error):
            raise
        return _compile(template, data, [])


def _compile(template: str, data: dict[str, Any], standards: list[str]) -> bytes:
    return typst.compile(
        TEMPLATES / template,
        root=TEMPLATES,
        sys_inputs={"data": json.dumps(data)},
        pdf_standards=standards,  # type: ignore[arg-type]
    )
