"""What the portal's own disk must do beyond that."""

import shutil

from portfolios.storage.base import Missing
from portfolios.storage.probing.bench import Bench, Check

BLOCK = 512  # what stat counts in, whatever the disk does


def _lays_files_out_whole(bench: Bench) -> bool:
    begun = bench.begin()
    laid_out = (bench.store.root / f"{begun.key}.open").stat().st_blocks * BLOCK
    bench.store.abort(begun)
    return bool(laid_out >= begun.size)


def _has_room(bench: Bench) -> bool:
    return shutil.disk_usage(bench.store.root).free >= bench.largest


def _stays_inside(bench: Bench) -> bool:
    try:
        bench.store.size("../outside")
    except Missing:
        return True
    return False


CHECKS = [
    Check(
        "Room for a file is set aside before it is sent.",
        "A full disk shows itself only after people have waited.",
        _lays_files_out_whole,
        is_needed=False,
    ),
    Check("There is room for the largest file.", "Large films are refused until there is room.", _has_room),
    Check("No name leads out of the folder.", "Other files of this machine could be read.", _stays_inside),
]
