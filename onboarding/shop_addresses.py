"""The addresses of shops on the web: how one that somebody typed is stored, and when two are the same.

A shop's address is stored as people read it, without what makes no difference: the scheme, “www.”, a query
and a slash at the end. Two addresses name the same shop if their hosts do.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from vendors.contract.characters import is_plain, one_line

LONGEST = 250  # characters, as the columns
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
USUAL_PORTS = {80, 443}


def normalised(typed: str) -> str:
    """The address as it is stored: "https://www.Shop.example/de/" → "shop.example/de"; "" for nothing.

    Raises ValueError if it is no address of a page on the web.
    """
    line = one_line(typed)
    if not line:
        return ""
    if any(char.isspace() for char in line) or not is_plain(line):
        raise ValueError("has blanks")
    parts = urlsplit(line if SCHEME.match(line) else f"https://{line}")
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc:
        raise ValueError("is not the address of a page")
    address = _host(parts.hostname or "") + _port(parts) + parts.path.rstrip("/")
    if len(address) > LONGEST:
        raise ValueError("is too long")
    return address


def told(address: str) -> str:
    """The address that a vendor tells, as it is stored; "" if it tells none that can be read."""
    try:
        return normalised(address)
    except ValueError:
        return ""


def differ(meant: str, found: str) -> bool:
    """Whether these are two shops' addresses. One that is not known differs from none."""
    return bool(meant and found) and _key(meant) != _key(found)


def _key(address: str) -> str:
    """The host alone, in letters: the path and the port lead to the same shop."""
    return urlsplit(f"//{address}").hostname or ""


def _host(host: str) -> str:
    """The host in letters ("bücher.example"), without “www.”. Raises ValueError."""
    name = _letters(host.rstrip(".").lower())
    name = name.removeprefix("www.") if name.count(".") > 1 else name
    labels = name.split(".")
    is_name = len(labels) > 1 and all(LABEL.fullmatch(label) for label in labels)
    if not is_name or "_" in name or labels[-1].isdecimal() or _is_ip(name):
        raise ValueError("is not the name of a host")
    return name


def _letters(host: str) -> str:
    """The same for a name and for its punycode. Raises ValueError (UnicodeError) for neither."""
    return host.encode("idna").decode("ascii").encode().decode("idna")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _port(parts: SplitResult) -> str:
    return f":{parts.port}" if parts.port and parts.port not in USUAL_PORTS else ""
