"""Brand: the operator's accent colour as a style sheet, with enough contrast in both themes.

A view, because pages have no inline styles (CSP).
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control

from onboarding.colours import accents, shifted
from onboarding.methods import require_read

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
    (light, on_light), (dark, on_dark) = accents(colour)
    return SHEET.format(
        light=variables(light, shifted(light, -0.06), shifted(light, 1, to=0.95), on_light),
        dark=variables(dark, shifted(dark, 0.08), shifted(dark, -1, to=0.18), on_dark),
    )


def variables(accent: str, strong: str, soft: str, on_accent: str) -> str:
    """The four variables of one theme."""
    return (
        f"--accent: {accent}; --accent-strong: {strong}; "
        f"--accent-soft: {soft}; --on-accent: {on_accent};"
    )
