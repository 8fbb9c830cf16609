"""Security headers of every response, also of those that no view has made."""

from __future__ import annotations

from csp.utils import build_policy
from django.conf import settings
from django.http import HttpResponseBase

# What a page and its frames may ask the browser for. Passkeys are made and used by our own pages, and
# secrets are copied by a button. Chromium writes an error to its console for a name that it does not know.
_USED = ("clipboard-write", "publickey-credentials-create", "publickey-credentials-get")
_UNUSED = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "clipboard-read",
    "cross-origin-isolated", "display-capture", "encrypted-media", "fullscreen", "geolocation",
    "gyroscope", "hid", "identity-credentials-get", "idle-detection", "local-fonts", "magnetometer",
    "microphone", "midi", "payment", "picture-in-picture", "screen-wake-lock", "serial", "storage-access",
    "sync-xhr", "usb", "window-management", "xr-spatial-tracking",
)  # fmt: skip
PERMISSIONS_POLICY = ", ".join(
    sorted([f"{name}=()" for name in _UNUSED] + [f"{name}=(self)" for name in _USED])
)


def security_headers() -> dict[str, str]:
    """Name → value. A response that has a value of its own for one of them keeps it."""
    return {
        "Content-Security-Policy": build_policy(),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS_POLICY,
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": settings.X_FRAME_OPTIONS,
    }


def add_missing(response: HttpResponseBase) -> None:
    for name, value in security_headers().items():
        response.headers.setdefault(name, value)
