"""Building URLs: our parameters are merged into a query that is already there."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit


def add_query(url: str, params: Mapping[str, str]) -> str:
    """`url` with `params` after its own query, which stays exactly as it is."""
    parts = urlsplit(url)
    ours = urlencode(params)
    return urlunsplit(parts._replace(query=f"{parts.query}&{ours}" if parts.query else ours))
