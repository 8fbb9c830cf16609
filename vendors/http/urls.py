"""URLs: the allowlist for redirects, whether a URL belongs to an API, and adding to a query.

Redirect allowlist: `allowed` decides which hosts a browser may be sent to.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlencode, urlsplit, urlunsplit


def allowed(url: str, domains: tuple[str, ...]) -> bool:
    """Whether a browser may be sent to `url`: https (plain http on loopback only), a host of `domains`."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return False
    if parts.username or parts.password or not host or has_odd_characters(url):
        return False
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        return False
    return any(_matches(parts.netloc.lower(), host, domain.lower()) for domain in domains)


def has_odd_characters(url: str) -> bool:
    """Whether there is a backslash or white space, which browsers read in ways of their own."""
    return "\\" in url or any(character <= " " for character in url)


def _matches(netloc: str, host: str, domain: str) -> bool:
    if domain.startswith("."):
        return host == domain[1:] or host.endswith(domain)
    return netloc == domain if ":" in domain else host == domain


def below(url: str, base_url: str) -> bool:
    """Whether `url` is an address of the server, and below the path, of `base_url`."""
    try:
        there, base = urlsplit(url), urlsplit(base_url)
        same = _server(there) == _server(base)
    except ValueError:
        return False
    if not same or "@" in there.netloc or has_odd_characters(url) or "/." in unquote(there.path):
        return False
    return there.path.startswith(base.path.rstrip("/") + "/")


def _server(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, _port(parts)


def _port(parts: SplitResult) -> int | None:
    return parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def same_host(url: str, base_url: str) -> bool:
    """Whether a browser may be sent to `url` and it leads to the host and port of `base_url`."""
    try:
        parts, base = urlsplit(url), urlsplit(base_url)
        same = (parts.hostname, _port(parts)) == (base.hostname, _port(base))
    except ValueError:
        return False
    return same and allowed(url, (base.hostname or "",))


def is_loopback(host: str) -> bool:
    """Whether a host name stands for this machine: localhost and its subdomains, 127.0.0.0/8, ::1."""
    return host in {"localhost", "::1"} or host.endswith(".localhost") or _is_127(host)


def _is_127(host: str) -> bool:
    parts = host.split(".")
    return len(parts) == 4 and parts[0] == "127" and all(part.isdigit() for part in parts)


def add_query(url: str, params: Mapping[str, str]) -> str:
    """`url` with `params` appended to its query; what was there stays exactly as it was."""
    parts = urlsplit(url)
    ours = urlencode(params)
    return urlunsplit(parts._replace(query=f"{parts.query}&{ours}" if parts.query else ours))
