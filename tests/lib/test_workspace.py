import fcntl
import os
from pathlib import Path

import pytest

from icg_cert.lib.workspace import workspace


def test_workspace_is_empty_and_gone_afterwards(tmp_path: Path) -> None:
    with workspace(tmp_path / "work") as folder:
        assert list(folder.iterdir()) == []
        (folder / "draft").write_text("half")
    assert list((tmp_path / "work").iterdir()) == []


def test_workspace_is_gone_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), workspace(tmp_path) as folder:
        (folder / "draft").write_text(str(1 / 0))
    assert list(tmp_path.iterdir()) == []


def test_workspaces_live_side_by_side(tmp_path: Path) -> None:
    with workspace(tmp_path) as one, workspace(tmp_path) as other:
        assert one != other
        assert sorted(tmp_path.iterdir()) == sorted([one, other])


def test_workspace_of_a_process_that_was_killed_is_cleared_up(tmp_path: Path) -> None:
    """The kernel has dropped its lock; a lock that is still held keeps a folder."""
    dead, alive = tmp_path / "dead", tmp_path / "alive"
    for folder in (dead, alive):
        folder.mkdir()
        (folder / "draft").write_text("half")
    hold = os.open(alive, os.O_RDONLY)
    fcntl.flock(hold, fcntl.LOCK_EX)
    with workspace(tmp_path) as folder:
        assert sorted(tmp_path.iterdir()) == sorted([alive, folder])
    os.close(hold)
