"""A real S3 server on this machine: SeaweedFS with one bucket, on ports and in a folder of its own."""

import json
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from typing import Any

import requests
from botocore.exceptions import BotoCoreError, ClientError

from portfolios.storage import S3Store
from portfolios.storage.bucket import prepare
from portfolios.storage.s3 import client_at

ACCESS_KEY, SECRET_KEY, BUCKET = "portal", "portal-secret", "icg-cert"
PROGRAM = Path(sys.executable).with_name("weed")
ELSEWHERE = "https://elsewhere.example"
GRPC = 10_000  # each of its ports has a second one so much above
ALONE = ["-master.telemetry=false", "-s3.port.lance=0", "-s3.port.iceberg=0", "-s3.iam=false"]
TRIES = 300
PAUSE = 0.2


class ObjectStore:
    """Started at once; `kill` and `start` again keep its data, `close` does not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = _free_ports(4)
        self.url = f"http://127.0.0.1:{self.ports[0]}"
        self.client = client_at(
            self.url, region="us-east-1", access_key=ACCESS_KEY, secret_key=SECRET_KEY, style="path"
        )
        self.store = S3Store(bucket=BUCKET, client=self.client, signer=self.client)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "keys.json").write_text(json.dumps({"identities": [_identity()]}))
        self.start()

    def start(self) -> None:
        s3, master, volume, filer = self.ports
        command = [str(PROGRAM), "server", f"-dir={self.folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
        command += [f"-master.port={master}", f"-volume.port={volume}", "-filer", f"-filer.port={filer}"]
        command += ["-s3", f"-s3.port={s3}", f"-s3.config={self.folder / 'keys.json'}", "-volume.max=0"]
        command += ["-master.volumeSizeLimitMB=1024", *ALONE]
        with (self.folder / "log").open("ab") as log:
            home = {"HOME": str(self.folder), "PATH": "/usr/bin:/bin"}
            self.process = subprocess.Popen(command, cwd=self.folder, env=home, stdout=log, stderr=log)
        self._wait_until_it_keeps_what_it_is_given()

    def _wait_until_it_keeps_what_it_is_given(self) -> None:
        for _ in range(TRIES):
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(PAUSE)
                raise AssertionError((self.folder / "log").read_text()[-2000:])
            with suppress(ClientError, BotoCoreError):
                self._ask()
                return
        raise AssertionError("the object store does not start: " + (self.folder / "log").read_text()[-2000:])

    def _ask(self) -> None:
        with suppress(self.client.exceptions.BucketAlreadyOwnedByYou):
            self.client.create_bucket(Bucket=BUCKET)
        self.client.put_object(Bucket=BUCKET, Key="ready", Body=b"yes")
        self.client.delete_object(Bucket=BUCKET, Key="ready")

    def kill(self) -> None:
        """SIGKILL, as a power cut would; what it has answered for must still be there afterwards."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.folder)

    def allow(self, origin: str) -> None:
        """Let pages from there, a live server say, send parts and read files. The server takes a moment to know it."""
        prepare(self.store, origin)
        for _ in range(TRIES):
            if self._lets_in(origin) and not self._lets_in(ELSEWHERE):
                return
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(PAUSE)
        raise AssertionError(f"{origin} is not let in")

    def _lets_in(self, origin: str) -> bool:
        asked = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
        told = requests.options(f"{self.url}/{BUCKET}/any", headers=asked, timeout=30).headers
        return told.get("Access-Control-Allow-Origin") == origin

    def keys(self) -> list[str]:
        return sorted(one["Key"] for one in self.client.list_objects_v2(Bucket=BUCKET).get("Contents", []))

    def multiparts(self) -> list[str]:
        return sorted(one["Key"] for one in self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []))

    def empty(self) -> None:
        """For the next test: nothing in it, and no rule of what it forgets. Who may send, stays."""
        for one in self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
            self.client.abort_multipart_upload(Bucket=BUCKET, Key=one["Key"], UploadId=one["UploadId"])
        for key in self.keys():
            self.client.delete_object(Bucket=BUCKET, Key=key)
        self.client.delete_bucket_lifecycle(Bucket=BUCKET)


def _identity() -> dict[str, Any]:
    keys = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
    return {"name": "portal", "credentials": keys, "actions": ["Admin", "Read", "Write", "List", "Tagging"]}


def _free_ports(count: int) -> list[int]:
    """Below those that the system gives to outgoing connections, so that none is taken between now and the start."""
    found: list[int] = []
    numbers = iter(Random().sample(range(15_000, 22_000), 1000))
    with ExitStack() as held:
        while len(found) < count:
            number = next(numbers)
            with suppress(OSError):
                for port in (number, number + GRPC):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
                found.append(number)
    return found
