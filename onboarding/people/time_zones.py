"""A person's time zone: that of their browser, until they choose one themselves."""

from __future__ import annotations

from onboarding import moments
from onboarding.models import User


def follow(user: User, told: str) -> None:
    """Remember the zone that the browser has told, for mails: they are written while no browser is there."""
    if user.time_zone_chosen or told == user.time_zone or moments.zone_called(told) is None:
        return
    rows = User.objects.filter(pk=user.pk, time_zone_chosen=False, erased_at=None)
    if rows.update(time_zone=told):
        user.time_zone = told
