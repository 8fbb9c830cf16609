"""Content-Security-Policy (CSP) of every page: nothing inline, and nothing from another host.

The view of a page whose form redirects to a vendor adds that vendor to `form-action`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from csp.constants import NONE, SELF


def directives(logo: str = "") -> dict[str, list[str]]:
    """The CSP directives. Only the operator's logo may come from another host."""
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
