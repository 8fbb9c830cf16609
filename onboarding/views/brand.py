"""Brand: the operator's accent colour as a style sheet, with enough contrast in both themes.

A view, because pages have no inline styles (CSP). The colour is darkened for light pages and lightened
for dark ones until text in it reaches the contrast that WCAG 2.2 AA asks for.
"""

from __future__ import annotations

from colorsys import hls_to_rgb, rgb_to_hls

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control

from onboarding.methods import require_read

CONTRAST = 4.6  # AA asks for 4.5; a little more for rounding
LIGHT_CANVAS, DARK_SURFACE, WHITE, INK = "#f0f2f6", "#1b2334", "#ffffff", "#0b1530"
SHEET = """:root {{ {light} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}
"""


@require_read
@cache_control(max_age=3600)
def brand_css(request: HttpRequest) -> HttpResponse:
    """The variables of tokens.css that follow BRAND_COLOUR; an empty sheet without one."""
    sheet = style_sheet(settings.BRAND_COLOUR) if settings.BRAND_COLOUR else ""
    return HttpResponse(sheet, content_type="text/css")


def style_sheet(colour: str) -> str:
    """The sheet for a colour written as `#rrggbb`."""
    on_light = readable(colour, LIGHT_CANVAS, -0.02)
    on_dark = readable(colour, DARK_SURFACE, 0.02)
    return SHEET.format(
        light=variables(on_light, shifted(on_light, -0.06), shifted(on_light, 1, to=0.95), WHITE),
        dark=variables(on_dark, shifted(on_dark, 0.08), shifted(on_dark, -1, to=0.18), INK),
    )


def variables(accent: str, strong: str, soft: str, on_accent: str) -> str:
    """The four variables of one theme."""
    return (
        f"--accent: {accent}; --accent-strong: {strong}; "
        f"--accent-soft: {soft}; --on-accent: {on_accent};"
    )


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
