from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty
from time import monotonic

import pytest
from kombu import Connection

TRANSPORT = "icg_cert.file_broker:Transport"


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, str]:
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    queue = str(tmp_path / "queue")
    return {"data_folder_in": queue, "data_folder_out": queue, "control_folder": str(tmp_path / "control")}


def name(folders: dict[str, str]) -> str:
    """A queue for each test: kombu remembers for the whole process what it has bound."""
    return Path(folders["control_folder"]).parent.name


def put(folders: dict[str, str], words: list[str]) -> None:
    with Connection(transport=TRANSPORT, transport_options=folders) as connection:
        queue = connection.SimpleQueue(name(folders))
        for word in words:
            queue.put(word)
        queue.close()


def take(folders: dict[str, str], count: int, taken: list[str]) -> None:
    """Append to `taken`, which readers share, until it holds `count` messages; for ten seconds at most."""
    end = monotonic() + 10
    with Connection(transport=TRANSPORT, transport_options=folders) as connection:
        queue = connection.SimpleQueue(name(folders), no_ack=True)
        while len(taken) < count and monotonic() < end:
            try:
                taken.append(queue.get_nowait().payload)
            except Empty:
                continue
        queue.close()


def test_messages_come_in_order_and_leave_nothing(folders: dict[str, str], tmp_path: Path) -> None:
    put(folders, ["first", "second", "third"])
    taken: list[str] = []
    take(folders, 3, taken)
    assert taken == ["first", "second", "third"]
    assert list((tmp_path / "queue").iterdir()) == []


def test_messages_are_whole_and_taken_once_under_many_hands(folders: dict[str, str]) -> None:
    words = [[f"{writer}-{number} {'x' * 20_000}" for number in range(100)] for writer in range(4)]
    taken: list[str] = []
    with ThreadPoolExecutor(6) as pool:
        hands = [pool.submit(put, folders, some) for some in words]
        hands += [pool.submit(take, folders, 400, taken) for _ in range(2)]
        assert [hand.result() for hand in hands] == [None] * 6
    assert sorted(taken) == sorted(word for some in words for word in some)
