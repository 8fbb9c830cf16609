"""The page of a mailed invitation. A GET accepts nothing: mail scanners open links."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from onboarding.methods import require_read_or_post
from onboarding.models import Invitation, SecurityEvent, User
from onboarding.monitoring import security_log
from onboarding.people import team
from onboarding.views.vendor_trip.leaving import SeeOther


@require_read_or_post
@never_cache
def invitation(request: HttpRequest, reference: str) -> HttpResponse:
    """Who invites to what. The POST of the invited person accepts."""
    rows = Invitation.objects.select_related("merchant", "invited_by")
    found = rows.filter(reference=reference).first()
    user = request.user if isinstance(request.user, User) else None
    if found and found.accepted and user and found.merchant.memberships.filter(user=user).exists():
        return SeeOther(found.merchant.get_absolute_url())
    if found is None or ended(found):
        context = {"why": ended(found) if found else "unknown", "invitation": found}
        return render(request, "onboarding/invitation_ended.html", context, status=404)
    if request.method == "POST":
        return _accept(request, found, user)
    return _page(request, found, user)


def ended(invitation: Invitation) -> str:
    """Why it can no longer be accepted: "accepted", "revoked" or "expired"; "" while it can."""
    if invitation.accepted:
        return "accepted"
    if invitation.revoked:
        return "revoked"
    return "expired" if invitation.expired else ""


def _page(
    request: HttpRequest, invitation: Invitation, user: User | None, status: int = 200
) -> HttpResponse:
    is_other_user = user is not None and not team.is_for(invitation, user)
    context = {
        "invitation": invitation,
        "address": masked(invitation.email),
        "is_other_user": is_other_user,
    }
    return render(request, "onboarding/invitation.html", context, status=status)


def _accept(request: HttpRequest, invitation: Invitation, user: User | None) -> HttpResponse:
    if user is None:
        return redirect_to_login(invitation.get_absolute_url())
    if not team.is_for(invitation, user):
        return _page(request, invitation, user, status=403)
    if not team.accept(invitation, user):
        return SeeOther(invitation.get_absolute_url())  # it ended in between: its page says how
    kind, detail = SecurityEvent.Kind.JOINED, f"as {invitation.role}"
    security_log.record(kind, request, merchant=invitation.merchant, detail=detail)
    message = gettext("You belong to %(business)s now.") % {"business": invitation.merchant.name}
    messages.success(request, message)
    return SeeOther(invitation.merchant.get_absolute_url())


def masked(email: str) -> str:
    """The address, recognisable to its owner only: "b•••@example.org". Anybody may have the link."""
    name, _, domain = email.rpartition("@")
    return f"{name[:1]}•••@{domain}"
