"""Who hears of many wrong codes: the owner of the address, and staff when they are many on the site."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings

from onboarding.models import GuessWarning, User
from onboarding.notifications import staff_alerts

from .limits import Limit, digest, used

DAY = timedelta(days=1)
ALERT_AT = 0.8  # of the bound of the whole site


def after_wrong_code(email: str, limits: Sequence[Limit]) -> None:
    """`limits`: those that have counted the guess. A browser that is known to the owner alarms nobody."""
    of_a_day = {limit.scope: limit for limit in limits if limit.period == DAY}
    count = used(list(of_a_day.values()))
    if count.get("address", 0) >= settings.WRONG_CODES_UNTIL_MAIL:
        _warn_owner(email)
    if (site := of_a_day.get("site")) and count.get("site", 0) >= ALERT_AT * site.amount:
        staff_alerts.open_for_wrong_codes()


def _warn_owner(email: str) -> None:
    """One mail a day. It leaves in the background: who guesses must not see whether there is an account."""
    confirmed = User.objects.filter(emailaddress__email=email.lower(), emailaddress__verified=True)
    owner = confirmed.filter(is_active=True).first()
    if owner and Limit(f"guess warning:{digest(owner.pk)}", 1, DAY).take():
        GuessWarning.objects.create(user=owner)
