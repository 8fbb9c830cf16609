"""The page that a mailed invitation leads to. Looking at it spends nothing: scanners open links."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from onboarding.models import Invitation, User
from onboarding.people import team
from onboarding.views.vendor_trip.leaving import SeeOther


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invitation(request: HttpRequest, reference: str) -> HttpResponse:
    """Who invites to what; the POST of the invited person accepts."""
    rows = Invitation.objects.select_related("merchant", "invited_by")
    row = rows.filter(reference=reference).first()
    user = request.user if isinstance(request.user, User) else None
    if row and row.accepted and user and row.merchant.memberships.filter(user=user).exists():
        return SeeOther(row.merchant.get_absolute_url())
    if row is None or ended(row):
        context = {"why": ended(row) if row else "unknown", "invitation": row}
        return render(request, "onboarding/invitation_ended.html", context, status=404)
    if request.method == "POST":
        return _accept(request, row, user)
    return _page(request, row, user)


def ended(row: Invitation) -> str:
    """Why it can no longer be accepted: "accepted", "revoked", "expired"; empty while it can."""
    if row.accepted:
        return "accepted"
    if row.revoked:
        return "revoked"
    return "expired" if row.expired else ""


def _page(
    request: HttpRequest, row: Invitation, user: User | None, status: int = 200
) -> HttpResponse:
    other = user is not None and not team.is_for(row, user)
    context = {"invitation": row, "address": masked(row.email), "other": other}
    return render(request, "onboarding/invitation.html", context, status=status)


def _accept(request: HttpRequest, row: Invitation, user: User | None) -> HttpResponse:
    if user is None:
        return redirect_to_login(row.get_absolute_url())
    if not team.is_for(row, user):
        return _page(request, row, user, status=403)
    if not team.accept(row, user):
        return SeeOther(row.get_absolute_url())  # it ended meanwhile: its page says how
    said = gettext("You belong to %(business)s now.") % {"business": row.merchant.name}
    messages.success(request, said)
    return SeeOther(row.merchant.get_absolute_url())


def masked(email: str) -> str:
    """Enough for who owns the address: "b•••@example.org". The link may be in anybody's hands."""
    name, _, domain = email.rpartition("@")
    return f"{name[:1]}•••@{domain}"
