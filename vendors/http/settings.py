"""Checks of settings that every API over HTTP needs. Each returns what is wrong, or ""."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from .hosts import address_problem


def api_url_problem(url: str, *, version: str) -> str:
    """`version` ("/v1") begins each documented path, so the setting must end before it."""
    ends_with_version = urlsplit(url).path.rstrip("/").endswith(version)
    return address_problem(url) or (f"must end before {version}" if ends_with_version else "")


def header_problem(value: str) -> str:
    """Of a value that is sent in a header."""
    return "" if re.fullmatch(r"[!-~]+", value) else "must be plain ASCII"


def basic_username_problem(username: str) -> str:
    """HTTP Basic ends the user name at the first colon."""
    return "must not hold a colon" if ":" in username else ""
