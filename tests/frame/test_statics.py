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
    modules = [name for name in paths if name.startswith("js/upload")]
    imports = {
        (name, imported)
        for name in modules
        for imported in re.findall(r'from "\./(.+?)"', (collected / paths[name]).read_text())
    }
    assert len(imports) > len(modules) > 1
    assert [pair for pair in imports if pair[1] not in {Path(path).name for path in paths.values()}] == []
    assert [pair for pair in imports if f"js/{pair[1]}" in paths] == []
