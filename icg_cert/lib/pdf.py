"""PDFs from Typst templates in templates/pdf/. Data goes in as JSON, never as markup."""

import json
from pathlib import Path
from typing import Any

import typst
from django.conf import settings

TEMPLATES = Path(settings.BASE_DIR) / "templates" / "pdf"


def render(template: str, data: dict[str, Any]) -> bytes:
    """The PDF/UA bytes of `templates/pdf/<template>`, which reads `json(bytes(sys.inputs.data))`.

    A template error is a defect of ours and raises `typst.TypstError`.
    """
    return typst.compile(
        TEMPLATES / template, root=TEMPLATES, sys_inputs={"data": json.dumps(data)}, pdf_standards=["ua-1"]
    )
