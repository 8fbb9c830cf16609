"""The query of a return: what a vendor appended to our address, even where it was bent on the way.

Our address has a query of its own (`?state=…`). A vendor that appends another `?`, `&amp;` or `;`, or encodes
what it appends once too often, hides its parameters in the value before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl, unquote

from django.core.exceptions import TooManyFieldsSent
from django.http import QueryDict

STATE = "state"
_ESCAPED = re.compile(r"&(?:amp(?:;|%3B))+", re.IGNORECASE)
# A second question mark before the name of a parameter. After "://" it belongs to a URL.
_SECOND_QUERY = re.compile(r"\?(?=[A-Za-z_][\w.-]*=)")
_URL = re.compile(r"(?::|%3A)(?:/|%2F){2}", re.IGNORECASE)
_HIDDEN_STATE = re.compile(rf"[?&;]{STATE}=")
_TOKEN = re.compile(r"[\s\"'<]*([A-Za-z0-9_-]+)")


def read(query: str) -> dict[str, str] | None:
    """The parameters by name; None for what no vendor sends: far too many, or two different states."""
    try:
        found = [*_separated(QueryDict(_joined(query)))]
    except TooManyFieldsSent:
        return None
    states = {value for name, value in found if name == STATE}
    return dict(reversed(found)) if len(states) < 2 else None


def token(value: str) -> str:
    """The leading letters that a state of ours can have; "" if there are none."""
    found = _TOKEN.match(value)
    return found[1] if found else ""


def _joined(query: str) -> str:
    """The query with `&` for every other separator that can be told from a value."""
    parts = _ESCAPED.sub("&", query).split("&")
    return "&".join(part if _URL.search(part) else _SECOND_QUERY.sub("&", part) for part in parts)


def _separated(params: QueryDict) -> Iterator[tuple[str, str]]:
    """(name, value) pairs, the most trusted first: those that were found inside a value come last."""
    clean = [(name.lstrip("?&; "), value) for name, value in _last_first(params)]
    has_state = any(name == STATE for name, _ in clean)
    inner: list[tuple[str, str]] = []
    for name, value in clean:
        own, rest = _split(name, value, has_state=has_state)
        inner += _hidden(rest)
        yield name, own
    yield from inner


def _last_first(params: QueryDict) -> Iterable[tuple[str, str]]:
    return ((name, value) for name, values in params.lists() for value in reversed(values))


def _split(name: str, value: str, *, has_state: bool) -> tuple[str, str]:
    """A value, and what was appended to it: to our state, or before our state."""
    if name == STATE:
        own = token(value)
        return (own, value.partition(own)[2]) if own else (value, "")
    hidden = None if has_state else _HIDDEN_STATE.search(value)
    return (value[: hidden.start()], value[hidden.start() :]) if hidden else (value, "")


def _hidden(rest: str) -> Iterator[tuple[str, str]]:
    """The parameters in what follows a value: `?name=value`, `%3Fname%3Dvalue`, `;name=value` …"""
    text = rest if "=" in rest else unquote(rest)
    _, _, after = re.sub(r"[?;]", "&", text.partition("#")[0]).partition("&")
    for name, value in parse_qsl(after.replace("&amp&", "&")):
        yield name, token(value) if name == STATE else value
