"""LibreOffice as a program that makes a PDF of a document: by itself, for a while, without network and without a past.

Knows no model. Every run has a profile of its own in a folder that goes with it; two at once would share one otherwise,
and the second would hand its document to the first and end.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings

PROGRAM = "soffice"
SECONDS = 120
KIB_OF_MEMORY = 4 * 1024 * 1024
BLOCKS_OF_A_FILE = 400 * 1024  # of 512 bytes: 200 MiB
LIMITED = f'ulimit -v {KIB_OF_MEMORY}; ulimit -t {SECONDS}; ulimit -f {BLOCKS_OF_A_FILE}; exec nice "$0" "$@"'
# Nobody listens on this port, so that whatever a document wants from the network ends there.
NO_PROXY_THERE = "http://127.0.0.1:9"
PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop>
<prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop>
</item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update">
<prop oor:name="Link" oor:op="fuse"><value>2</value></prop>
</item>
<item oor:path="/org.openoffice.Inet/Settings">
<prop oor:name="ooInetProxyType" oor:op="fuse"><value>2</value></prop>
<prop oor:name="ooInetHTTPProxyName" oor:op="fuse"><value>127.0.0.1</value></prop>
<prop oor:name="ooInetHTTPProxyPort" oor:op="fuse"><value>9</value></prop>
<prop oor:name="ooInetHTTPSProxyName" oor:op="fuse"><value>127.0.0.1</value></prop>
<prop oor:name="ooInetHTTPSProxyPort" oor:op="fuse"><value>9</value></prop>
</item>
</oor:items>
"""


class NotConverted(Exception):
    """It ended without a PDF, or did not end in time."""


def is_there() -> bool:
    return settings.DOCUMENT_PREVIEWS and shutil.which(PROGRAM) is not None


def to_pdf(body: bytes, extension: str, *, seconds: float = SECONDS) -> bytes:
    """The document, of kind ".docx" or ".odt", as a PDF. NotConverted."""
    with TemporaryDirectory(prefix="preview-") as name:
        folder = Path(name)
        source, made, profile = folder / f"document{extension}", folder / "document.pdf", folder / "profile"
        source.write_bytes(body)
        (profile / "user").mkdir(parents=True)
        (profile / "user" / "registrymodifications.xcu").write_text(PROFILE)
        _run([*_command(profile, folder), str(source)], folder, seconds)
        if not made.exists():
            raise NotConverted("no file")
        return made.read_bytes()


def _command(profile: Path, folder: Path) -> list[str]:
    quiet = ["--headless", "--norestore", "--nologo", "--nolockcheck", "--nodefault", "--nofirststartwizard"]
    apart = f"-env:UserInstallation={profile.as_uri()}"
    made = ["--convert-to", "pdf:writer_pdf_Export", "--outdir", str(folder)]  # in this order alone
    return ["sh", "-c", LIMITED, shutil.which(PROGRAM) or PROGRAM, *quiet, apart, *made]


def _run(command: Sequence[str], folder: Path, seconds: float) -> None:
    """Whatever it started ends with it: it leaves children behind when it is killed alone."""
    nothing = subprocess.DEVNULL
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=_environment(folder),
        start_new_session=True,
        stdin=nothing,
        stdout=nothing,
        stderr=nothing,
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired as error:
        raise NotConverted("not in time") from error
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _environment(folder: Path) -> dict[str, str]:
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NO_PROXY_THERE)
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8", **nowhere}
