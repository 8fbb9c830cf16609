"""Redirect targets that a request carries (`next`): only paths of this site that a browser can open."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, resolve

from vendors.contract.characters import is_plain

LONGEST = 2000  # characters


def is_local_path(target: str) -> bool:
    """Whether this is the path of a page of this site, perhaps with a query: never a host, never a name.

    Browsers read a backslash as a slash, and two leading slashes as a host.
    """
    if not target.startswith("/") or target.startswith("//") or len(target) > LONGEST:
        return False
    if "\\" in target or not is_plain(target) or " " in target:
        return False
    return _opens_page(unquote(urlsplit(target).path))


def _opens_page(path: str) -> bool:
    """Whether a page answers there: a path for a form alone answers a redirect with 405."""
    try:
        view = resolve(path).func
    except Resolver404:
        return False
    if view_class := getattr(view, "view_class", None):
        return hasattr(view_class, "get")
    return "GET" in getattr(view, "allowed_methods", {"GET"})


def local_path(remembered: object) -> str:
    """What a request or a session says is the way on, if it is a path of this site; else empty."""
    return remembered if isinstance(remembered, str) and is_local_path(remembered) else ""


def next_path(request: HttpRequest) -> str:
    """The `next` parameter of this request if it is a path of this site; else empty."""
    return local_path(request.POST.get("next") or request.GET.get("next"))
