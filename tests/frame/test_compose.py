import json
import subprocess
from pathlib import Path

import pytest

from tests import object_store

ROOT = Path(__file__).parent.parent.parent
SERVICES = [
    "beat", "bucket", "doubles", "mail", "media", "migrate", "nginx", "postgres", "redis", "s3", "web", "worker",
]  # fmt: skip


@pytest.mark.requires("docker-compose")
def test_compose_file_is_accepted_and_names_every_service() -> None:
    command = ["docker-compose", "-f", "docker-compose.yml", "config", "--services"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (finished.returncode, sorted(finished.stdout.split())) == (0, SERVICES), finished.stderr


def test_compose_mounts_only_files_that_exist_and_the_keys_are_the_s3_servers() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    for name in ("nginx.conf", "portal.conf", "s3.json"):
        assert f"./deploy/{name}" in compose
        assert (ROOT / "deploy" / name).exists()
    (identity,) = json.loads((ROOT / "deploy" / "s3.json").read_text())["identities"]
    (keys,) = identity["credentials"]
    assert f"S3_ACCESS_KEY-{keys['accessKey']}}}" in compose
    assert f"S3_SECRET_KEY-{keys['secretKey']}}}" in compose


def test_compose_starts_the_s3_server_as_the_tests_do() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    assert [flag for flag in object_store.ALONE if flag not in compose] == []
