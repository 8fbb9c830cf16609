"""References: short random ids, hard to guess and easy to read out over the phone."""

from __future__ import annotations

import secrets

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # without 0, 1, i, l and o, which look alike


def reference() -> str:
    """Ten letters and digits (49 bits): hard enough to guess for a URL behind a login."""
    return "".join(secrets.choice(ALPHABET) for _ in range(10))
