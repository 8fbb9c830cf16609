"""The page of a mailed invitation. A GET accepts nothing: mail scanners open links."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from onboarding.methods import require_read_or_post
from onboarding.models import Invitation, User
from onboarding.people import joining, team
from onboarding.people.sign_in import (
    JUST_SENT,
    EmailForm,
    RequestCodeView,
    is_limited,
    pending_address,
)
from onboarding.views.vendor_trip.leaving import SeeOther


@require_read_or_post
@never_cache
def invitation(request: HttpRequest, reference: str) -> HttpResponse:
    """Who invites to what. The POST joins, where it is not known who presses after a code to the address."""
    rows = Invitation.objects.select_related("merchant", "invited_by")
    found = rows.filter(reference=reference).first()
    user = request.user if isinstance(request.user, User) else None
    if found and found.accepted and user and found.merchant.memberships.filter(user=user).exists():
        return SeeOther(found.merchant.get_absolute_url())
    if found is None or ended(found):
        context = {"why": ended(found) if found else "unknown", "invitation": found}
        return render(request, "onboarding/invitation_ended.html", context, status=404)
    if request.method != "POST":
        return _page(request, found, user)
    return _accept(request, found, user) if user else _send_code(request, found)


def ended(invitation: Invitation) -> str:
    """Why it can no longer be accepted: "accepted", "revoked" or "expired"; "" while it can."""
    if invitation.accepted:
        return "accepted"
    if invitation.revoked:
        return "revoked"
    return "expired" if invitation.expired else ""


def _page(
    request: HttpRequest,
    invitation: Invitation,
    user: User | None = None,
    status: int = 200,
    **more: object,
) -> HttpResponse:
    is_other_user = user is not None and not team.is_for(invitation, user)
    context = {
        "invitation": invitation,
        "address": joining.masked(invitation.email),
        "is_other_user": is_other_user,
        **more,
    }
    return render(request, "onboarding/invitation.html", context, status=status)


def _accept(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    if not team.is_for(invitation, user):
        return _page(request, invitation, user, status=403)
    if not joining.join(request, invitation, user):
        return SeeOther(invitation.get_absolute_url())  # it ended in between: its page says how
    return SeeOther(invitation.merchant.get_absolute_url())


def _send_code(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """Remember what was pressed, and send a code to the invited address: it signs in and joins."""
    joining.remember(request, invitation)
    response: HttpResponse = InvitedCodeView.as_view(invitation=invitation)(request)
    return response


class InvitedCodeView(RequestCodeView):
    """Sends the code to the invited address. Where it cannot, the invitation's page says why."""

    invitation: Invitation = None  # type: ignore[assignment]  # as_view's argument

    def get_form_kwargs(self) -> dict[str, object]:
        given: dict[str, object] = super().get_form_kwargs()
        return given | {"data": {"email": self.invitation.email}}

    def get_next_url(self) -> str:
        return self.invitation.get_absolute_url()

    def get_success_url(self) -> str:
        return reverse("account_confirm_login_code")

    def just_sent(self, email: str) -> HttpResponse:
        """The button was pressed twice, or in two browsers at once."""
        if pending_address(self.request) == email:
            return redirect("account_confirm_login_code")
        return self._says(gettext("We have just sent a code. Wait ten seconds, then try again."))

    def form_invalid(self, form: EmailForm) -> HttpResponse:
        if form.has_error("email", JUST_SENT) or is_limited(form):
            response: HttpResponse = super().form_invalid(form)
            return response
        errors = [str(error) for found in form.errors.values() for error in found]
        return self._says(" ".join(errors))

    def _says(self, problem: str) -> HttpResponse:
        return _page(self.request, self.invitation, problem=problem)
