"""Every dictionary of a PDF, at whatever depth and whether or not a page leads to it."""

from collections.abc import Iterator
from typing import Any

import pikepdf


def dictionaries(pdf: pikepdf.Pdf) -> Iterator[Any]:
    """Each once, those of streams included. What another object refers to is that object's own turn."""
    for top in pdf.objects:
        waiting = [top]
        while waiting:
            one = waiting.pop()
            if isinstance(one, pikepdf.Dictionary | pikepdf.Stream):
                yield one
                waiting += [one[key] for key in list(one.keys()) if not _elsewhere(one, key)]
            elif isinstance(one, pikepdf.Array):
                waiting += [each for each in one if not getattr(each, "is_indirect", False)]


def _elsewhere(one: Any, key: str) -> bool:
    return bool(getattr(one[key], "is_indirect", False))
