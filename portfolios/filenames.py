"""What a candidate calls a file, made safe to show. Pure."""

import re
import unicodedata

LONGEST = 255
# Control characters, bidirectional overrides and other invisible marks, halves of characters, private use.
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}


def clean(name: str) -> str:
    """The name without folders, invisible or direction-changing characters; at most 255, its extension kept.

    Never empty: "file" where nothing is left.
    """
    base = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    seen = "".join(" " if c.isspace() else c for c in base if c.isspace() or unicodedata.category(c) not in UNSEEN)
    plain = " ".join(seen.split()).strip(". ") or "file"
    ending = extension(plain)
    return plain if len(plain) <= LONGEST else plain[: LONGEST - len(ending)] + ending


def extension(name: str) -> str:
    """The last ending in lower case with its dot, at most ten characters; "" where there is none."""
    found = re.search(r"\.[A-Za-z0-9]{1,9}$", name)
    return found.group().lower() if found else ""
