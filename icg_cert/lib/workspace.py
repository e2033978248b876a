"""A folder of one's own for work that may be killed at any moment."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory


@contextmanager
def workspace(root: Path) -> Iterator[Path]:
    """A new folder in `root`, gone afterwards; those of processes that were killed go as well.

    Whoever has a folder holds a lock on it, which the kernel drops however its process ends.
    """
    root.mkdir(parents=True, exist_ok=True)
    with _held(root):  # nobody clears up between the making of a folder and its holding
        _clear_up(root)
        folder = TemporaryDirectory(dir=root, ignore_cleanup_errors=True)
        hold = _hold(Path(folder.name))
    try:
        with folder as name:
            yield Path(name)
    finally:
        os.close(hold)


def _clear_up(root: Path) -> None:
    for left in root.iterdir():
        with suppress(BlockingIOError), _held(left, fcntl.LOCK_NB):
            rmtree(left, ignore_errors=True)


@contextmanager
def _held(folder: Path, how: int = 0) -> Iterator[None]:
    hold = _hold(folder, how)
    try:
        yield
    finally:
        os.close(hold)


def _hold(folder: Path, how: int = 0) -> int:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | how)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
