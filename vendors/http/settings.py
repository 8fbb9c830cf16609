"""Validation of settings for an HTTP API: base URL, header values, user name.

Each function returns what is wrong as the end of a sentence about the setting, or "".
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from .urls import has_odd_characters, is_loopback


def address_problem(url: str) -> str:
    """The base URL of a vendor's API, which may have a path: https, or http on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return "is not an address"
    if parts.scheme not in {"https", "http"} or not host or has_odd_characters(url):
        return "must begin with https:// and name a host"
    if parts.scheme == "http" and not is_loopback(host):
        return "must begin with https:// (http is for this machine only)"
    if "@" in parts.netloc or "?" in url or "#" in url:
        return "must hold no user, password, query or fragment"
    return ""


def api_url_problem(url: str, *, version: str) -> str:
    """A base URL without `version` ("/v1"), with which each documented path begins."""
    ends_with_version = urlsplit(url).path.rstrip("/").endswith(version)
    return address_problem(url) or (f"must end before {version}" if ends_with_version else "")


def header_problem(value: str) -> str:
    """A value that is sent in a header: visible ASCII characters only."""
    return "" if re.fullmatch(r"[!-~]+", value) else "must be plain ASCII"


def basic_username_problem(username: str) -> str:
    """A user name for HTTP Basic, which ends it at the first colon."""
    return "must not hold a colon" if ":" in username else ""
