"""Template tags for icons: of a status, a panel, a notice, a platform. `{% load icons %}`"""

from __future__ import annotations

import re
from functools import cache
from zlib import crc32

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from onboarding.models.status import Status

register = template.Library()

STATUS_ICONS = {
    Status.NOT_STARTED: "circle-dashed",
    Status.IN_PROGRESS: "loader-circle",
    Status.CHECKING: "clock",
    Status.ACTION_NEEDED: "circle-alert",
    Status.ON_IT: "wrench",
    Status.REPORTED: "clock",
    Status.CONNECTED: "circle-check",
    Status.PAUSED: "circle-pause",
    Status.DISCONNECTED: "unplug",
}
OUTCOME_ICONS = {
    "connected": "check",
    "reported": "clock",
    "checking": "clock",
    "stopped": "circle-pause",
    "refused": "circle-x",
    "expired": "timer-off",
    "staff": "wrench",
    "none": "inbox",
    "preparing": "hourglass",
    "ready": "arrow-right",
    "at-vendor": "external-link",
    "asking": "info",
    "waiting": "hourglass",
    "ended": "unplug",
    "paused": "circle-pause",
    "choosing": "store",
}
NOTICE_ICONS = {
    "info": "info",
    "success": "circle-check",
    "warning": "triangle-alert",
    "error": "circle-alert",
}
MARKS = settings.BASE_DIR / "static" / "icons" / "marks"
TONES = 6  # colours of monograms: .platform--tone-0 to -5 in components.css


SYMBOL = re.compile(r'<symbol id="([\w-]+)"([^>]*)>(.*?)</symbol>', re.DOTALL)


@register.simple_tag
def icon(name: str) -> SafeString:
    """An SVG icon, hidden from screen readers; `name` is an id of sprite.svg.

    It is drawn in the page itself: the few icons of a page weigh less than a file with all of them.
    """
    attributes, shapes = symbols()[name]
    return format_html('<svg class="icon" aria-hidden="true"{}>{}</svg>', attributes, shapes)


@cache
def symbols() -> dict[str, tuple[SafeString, SafeString]]:
    """The attributes and the shapes of each symbol of sprite.svg."""
    sprite = (settings.BASE_DIR / "static" / "icons" / "sprite.svg").read_text()
    return {
        name: (_drawn(attributes), _drawn(shapes))
        for name, attributes, shapes in SYMBOL.findall(sprite)
    }


def _drawn(part: str) -> SafeString:
    """A part of one of our own drawings, as it stands in its file."""
    return mark_safe(part)  # noqa: S308  # nosec B308, B703  # a file of ours


@register.filter
def status_icon(status: str) -> str:
    """The icon of a Status value."""
    return STATUS_ICONS[Status(status)]


@register.filter
def status_label(status: str) -> str:
    """The label of a Status value, in the reader's language."""
    return str(Status(status).label)


@register.filter
def outcome_icon(kind: str) -> str:
    """The icon of a status panel; raises KeyError for a kind that is not in OUTCOME_ICONS."""
    return OUTCOME_ICONS[kind]


@register.filter
def notice_icon(kind: str) -> str:
    """The icon of a notice; the icon of "info" for Django's message level "debug"."""
    return NOTICE_ICONS.get(kind, "info")


@register.filter
def mark(platform: str) -> SafeString:
    """A platform's mark as SVG, hidden from screen readers; empty when there is none (then: `monogram`).

    It stands in the page itself: a page shows few of them, and a file for all would be loaded for each.
    A slug that starts with a platform's name counts as that platform: `shopify-netsuite`.
    """
    return _marks().get(platform.lower().split("-")[0], SafeString())


@cache
def _marks() -> dict[str, SafeString]:
    return {path.stem: _inline(path.read_text()) for path in sorted(MARKS.glob("*.svg"))}


def _inline(file: str) -> SafeString:
    begin = '<svg class="icon" aria-hidden="true"'
    drawing = file.strip().replace(' xmlns="http://www.w3.org/2000/svg"', "")
    return _drawn(drawing.replace("<svg", begin, 1))


@register.filter
def monogram(platform: str) -> str:
    """Two letters for a platform without a mark: "acme-shop" → "as", "gambio" → "ga"."""
    words = re.findall(r"[^\W_]+", platform) or ["?"]
    return f"{words[0][0]}{words[1][0]}" if len(words) > 1 else words[0][:2]


@register.filter
def tone(platform: str) -> int:
    """The number of a monogram's colour: always the same for a slug."""
    return crc32(platform.lower().encode()) % TONES
