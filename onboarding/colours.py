"""The accent colour of the site, with enough contrast on light and on dark grounds.

The operator's colour is darkened for light pages and lightened for dark ones until text in it reaches the
contrast that WCAG 2.2 AA asks for. Pages and mails use the same.
"""

from __future__ import annotations

from colorsys import hls_to_rgb, rgb_to_hls
from typing import NamedTuple

CONTRAST = 4.6  # AA asks for 4.5; a little more for rounding
LIGHT_CANVAS, DARK_SURFACE, WHITE, INK = "#f0f2f6", "#1b2334", "#ffffff", "#0b1530"


class Accent(NamedTuple):
    """The colour of buttons and links in one theme, and that of the words on such a button."""

    colour: str
    on_it: str


def accents(colour: str) -> tuple[Accent, Accent]:
    """For light and for dark, from a colour written as `#rrggbb`; without one, as in tokens.css."""
    if not colour:
        return Accent("#1d4ed8", WHITE), Accent("#8fb0ff", INK)
    light, dark = readable(colour, LIGHT_CANVAS, -0.02), readable(colour, DARK_SURFACE, 0.02)
    return Accent(light, WHITE), Accent(dark, INK)


def readable(colour: str, ground: str, step: float) -> str:
    """The colour, moved in lightness by `step` until it can be read on `ground`."""
    while contrast(colour, ground) < CONTRAST:
        colour = shifted(colour, step)
    return colour


def shifted(colour: str, by: float, to: float | None = None) -> str:
    """The colour with another lightness: moved, within 0 and 1, or set to `to`."""
    hue, lightness, saturation = rgb_to_hls(*channels(colour))
    lightness = min(1.0, max(0.0, lightness + by)) if to is None else to
    red, green, blue = (round(c * 255) for c in hls_to_rgb(hue, lightness, saturation))
    return f"#{red:02x}{green:02x}{blue:02x}"


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio, from 1 to 21."""
    lower, higher = sorted((luminance(one), luminance(other)))
    return (higher + 0.05) / (lower + 0.05)


def luminance(colour: str) -> float:
    """WCAG's relative luminance, from 0 to 1."""
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def channels(colour: str) -> tuple[float, float, float]:
    """Red, green and blue of `#rrggbb`, each from 0 to 1."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue
