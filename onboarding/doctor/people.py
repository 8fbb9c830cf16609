"""Check of the people who run the site: whether staff have a second step."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.conf import settings

from onboarding.models import User

from .finding import Finding


def staff_factors() -> Finding:
    """Staff without one are led to set one up; until then, their mailbox is all that it takes."""
    if not settings.STAFF_MFA:
        words = "STAFF_MFA is off: staff sign in with a mailed code alone."
        if settings.LOOPBACK:
            return Finding("staff", "ok", words)
        return Finding("staff", "note", words, "Leave STAFF_MFA out, or set it to 1.")
    staff = User.objects.filter(is_staff=True, is_active=True)
    factors = Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES)
    count = staff.count()
    lacking = staff.exclude(pk__in=factors.values("user_id")).count()
    if lacking:
        words = f"{lacking} of {count} staff have no second step yet."
        fix = (
            "They are asked to set one up at their next sign-in. Remove the staff rights of those who"
            " should not have them."
        )
        return Finding("staff", "note", words, fix)
    return Finding("staff", "ok", f"All {count} staff have a second step.")
