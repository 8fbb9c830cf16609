"""References: short ids that are hard to guess and easy to read out over the phone."""

from __future__ import annotations

import secrets

ALPHABET = (
    "23456789abcdefghjkmnpqrstuvwxyz"  # nothing to mistake when it is read out over the phone
)


def reference() -> str:
    """Ten letters and digits, unguessable enough for a URL behind a login, easy to read out."""
    return "".join(secrets.choice(ALPHABET) for _ in range(10))
