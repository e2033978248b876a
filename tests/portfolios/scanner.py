"""A real clamd of the test's own, which knows one signature: that of a text that harms nobody."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

HARMFUL = b"ICG-TEST-SIGNATURE-NOTHING-HARMFUL"
NAME = "Icg.Test.UNOFFICIAL"  # clamd adds the second half to what is not its makers'
MOST = 1024 * 1024


@dataclass
class Scanner:
    """`unix` and `tcp` are its two addresses. It can be stopped, and started again at the same ones."""

    folder: Path
    port: int
    process: subprocess.Popen[str] | None = field(default=None)

    @property
    def unix(self) -> str:
        return f"unix:{self.folder / 'socket'}"

    @property
    def tcp(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [shutil.which("clamd") or "clamd", f"--config-file={self.folder / 'clamd.conf'}"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self.process.stdout
        said = []
        for line in self.process.stdout:
            said.append(line)
            if line.startswith("Self checking"):  # the last thing it says before it listens
                return
        raise AssertionError("".join(said))

    def stop(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.communicate()
            self.process = None


@contextmanager
def scanner() -> Iterator[Scanner]:
    with TemporaryDirectory(prefix="clamd-") as name:  # a short path: that of a socket may have 107 letters
        one = Scanner(Path(name), _free_port())
        (one.folder / "own.ndb").write_text(f"Icg.Test:0:*:{HARMFUL.hex()}\n")
        (one.folder / "clamd.conf").write_text(
            f"DatabaseDirectory {name}\nTemporaryDirectory {name}\nForeground yes\nAlertExceedsMax yes\n"
            f"LocalSocket {one.folder / 'socket'}\nTCPAddr 127.0.0.1\nTCPSocket {one.port}\n"
            f"StreamMaxLength {MOST}\nMaxFileSize {MOST // 2}\n"
        )
        one.start()
        yield one
        one.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
