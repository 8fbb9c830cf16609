"""The step line: Choose · Sign in · Check · the vendor · Connected. `{% load steps %}`"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from django import template
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.translation import gettext

from onboarding.models.catalogue import offered
from onboarding.registry import vendor_name

register = template.Library()

KEYS = ("choose", "sign-in", "check", "vendor", "connected")
DONE = "done"  # `current` when the last step is done, too
CONNECTING = frozenset({"platform", "go", "connect", "leave-it"})  # names of URLs


@dataclass(frozen=True)
class StepOnLine:
    number: int
    label: str
    state: Literal["done", "current", "todo"]


@register.simple_tag
def step_line(current: str, vendor: str = "") -> list[StepOnLine]:
    """The five steps, up to the `current` one. `vendor`: its name, once it is known."""
    labels = {
        "choose": gettext("Choose"),
        "sign-in": gettext("Sign in"),
        "check": gettext("Check"),
        "vendor": vendor or gettext("Connect"),
        "connected": gettext("Connected"),
    }
    at = len(KEYS) if current == DONE else KEYS.index(current)
    return [StepOnLine(n + 1, labels[key], _state(n, at)) for n, key in enumerate(KEYS)]


def _state(number: int, at: int) -> Literal["done", "current", "todo"]:
    if number == at:
        return "current"
    return "done" if number < at else "todo"


@register.filter
def leads_to_connection(path: str | None) -> bool:
    """Whether the page at this path begins a connection, or leads to where one begins."""
    match = _match(path)
    return match is not None and match.url_name in CONNECTING


@register.filter
def vendor_at(path: str | None) -> str:
    """The name of the vendor that the page at this path connects with; "" where merchants still choose."""
    match = _match(path)
    if match is None or match.url_name not in CONNECTING:
        return ""
    chosen = {key: match.kwargs[key] for key in ("platform", "slug") if key in match.kwargs}
    if way := parse_qs(urlsplit(path or "").query).get("way"):
        chosen["slug"] = way[0]
    vendors = set(offered().filter(**chosen).values_list("vendor", flat=True))
    return vendor_name(vendors.pop()) if len(vendors) == 1 else ""


def _match(path: str | None) -> ResolverMatch | None:
    try:
        parts = urlsplit(path or "")
        return None if parts.netloc else resolve(parts.path)
    except (Resolver404, ValueError):
        return None
