"""The contrast the tokens promise, computed as WCAG 2.2 defines it."""

import re
from pathlib import Path

import pytest
from django.conf import settings

CSS = (Path(settings.BASE_DIR) / "static/css/tokens.css").read_text()
LIGHT, DARK = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[:2]
TEXT = ["ink", "muted", "accent", "good", "warn", "bad"]


def tokens(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): #([0-9A-F]{6})", block))


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("block", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["ground", "surface"])
@pytest.mark.parametrize("text", TEXT)
def test_text_can_be_read_on_both_grounds(block: str, ground: str, text: str) -> None:
    colours = tokens(block)
    assert contrast(colours[text], colours[ground]) >= 5.5


@pytest.mark.parametrize("block", [LIGHT, DARK], ids=["light", "dark"])
def test_focus_and_button_can_be_seen(block: str) -> None:
    colours = tokens(block)
    assert contrast(colours["on-accent"], colours["accent"]) >= 6
    assert contrast(colours["focus"], colours["ground"]) >= 3
    assert contrast(colours["focus"], colours["surface"]) >= 3


def test_nothing_but_the_tokens_names_a_colour() -> None:
    css = (Path(settings.BASE_DIR) / "static/css/components.css").read_text()
    named = [line.strip() for line in css.splitlines() if re.search(r"#[0-9A-Fa-f]{3,6}\b", line)]
    assert [line.split(" ")[0] for line in named] == ["video", ".qr"]
