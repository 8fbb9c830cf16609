"""The Content-Security-Policy of every page: nothing inline, nothing from another host.

A page whose form leaves for a vendor widens `form-action` for itself, in its view.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from csp.constants import NONE, SELF


def directives(logo: str = "") -> dict[str, list[str]]:
    """The directives; an operator's logo on another host is the only foreign source."""
    images = [SELF, "data:"]
    if logo.startswith("https:"):
        images.append(f"https://{urlsplit(logo).netloc}")
    return {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": images,
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
