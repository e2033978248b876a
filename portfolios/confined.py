"""A program within limits, which ends with whoever started it. Run as a script, this becomes that program.

A script of its own, because what a child does between fork and exec must not depend on the parent's threads.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from resource import RLIMIT_AS, RLIMIT_CORE, RLIMIT_CPU, RLIMIT_FSIZE, setrlimit

NICE = 10
PR_SET_PDEATHSIG = 1


def command(program: str, arguments: Sequence[str], *, memory: int, processor: int, file: int) -> list[str]:
    """What to start so that `program` gets these many bytes of addresses, processor seconds, and bytes of a file."""
    limits = [str(number) for number in (os.getpid(), memory, processor, file)]
    return [sys.executable, "-I", "-S", __file__, *limits, program, *arguments]


def become(parent: int, memory: int, processor: int, file: int, words: list[str]) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # even where the parent has no time to say goodbye
    if os.getppid() != parent:  # gone before we asked to be told
        sys.exit(1)
    os.nice(NICE)
    limits = {RLIMIT_AS: memory, RLIMIT_CPU: processor, RLIMIT_FSIZE: file, RLIMIT_CORE: 0}
    for limit, most in limits.items():
        setrlimit(limit, (most, most))
    os.execv(words[0], words)  # noqa: S606  the program is the settings', its arguments are ours


if __name__ == "__main__":
    _parent, _memory, _processor, _file = (int(number) for number in sys.argv[1:5])
    become(_parent, _memory, _processor, _file, sys.argv[5:])
