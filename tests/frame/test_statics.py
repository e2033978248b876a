"""The real portal's static files, collected as the image collects them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("static")
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {"DATABASE_URL": "postgresql://none", "SECRET_KEY": "x" * 50, "STATIC_ROOT": str(folder)}
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity=0"]
    finished = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    return folder


def test_every_static_file_of_ours_has_a_name_that_changes_with_its_content(collected: Path) -> None:
    paths = json.loads((collected / "staticfiles.json").read_text())["paths"]
    ours = [str(path.relative_to(ROOT / "static")) for path in (ROOT / "static").rglob("*.*") if path.is_file()]
    assert [name for name in ours if not re.search(r"\.[0-9a-f]{12}\.", paths.get(name, ""))] == []


def test_modules_import_one_another_under_those_names(collected: Path) -> None:
    paths = json.loads((collected / "staticfiles.json").read_text())["paths"]
    upload = (collected / paths["js/upload.js"]).read_text()
    assert f'"./{Path(paths["js/upload_transfer.js"]).name}"' in upload
    assert '"./upload_transfer.js"' not in upload
