"""Which mails a person wants: a group of them can be switched off, for one business or for all."""

from __future__ import annotations

from onboarding.models import Merchant, User


def wants(user: User, merchant: Merchant | None, group: str) -> bool:
    """Whether this person is to get mails of this group about this business. Without a group: always."""
    return not group or user.is_active
