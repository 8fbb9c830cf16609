"""Template tags for icons: of a status, a panel, a notice, a platform. `{% load icons %}`"""

from __future__ import annotations

import re
from functools import cache

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
MARKS = {"ebay", "shopify", "bigcommerce", "magento", "prestashop", "woocommerce"}


SYMBOL = re.compile(r'<symbol id="([\w-]+)"([^>]*)>(.*?)</symbol>', re.DOTALL)


@register.simple_tag
def icon(name: str) -> SafeString:
    """An SVG icon, hidden from screen readers; `name` is an id of sprite.svg.

    It is drawn in the page itself: the few icons of a page weigh less than a file with all of them.
    """
    attributes, shapes = symbols()[name]
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"{}>{}</svg>', attributes, shapes
    )


@cache
def symbols() -> dict[str, tuple[SafeString, SafeString]]:
    """The attributes and the shapes of each symbol of sprite.svg."""
    sprite = (settings.BASE_DIR / "static" / "icons" / "sprite.svg").read_text()
    return {
        name: (mark_safe(attributes), mark_safe(shapes))  # noqa: S308  # nosec  # a file of ours
        for name, attributes, shapes in SYMBOL.findall(sprite)
    }


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
def mark(platform: str) -> str:
    """The id of a platform's mark in sprite.svg; empty when there is none (then: a letter tile).

    A slug that starts with a platform's name counts as that platform: `shopify-netsuite`.
    """
    name = platform.lower().split("-")[0]
    return f"mark-{name}" if name in MARKS else ""
