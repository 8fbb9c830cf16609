"""A merchant's team: its members and invitations, and what owners may change."""

from __future__ import annotations

from allauth.core.internal import ratelimit
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext

from onboarding.methods import require_post, require_read, require_read_or_post
from onboarding.models import Membership, Merchant, merchants
from onboarding.people import team as team_actions
from onboarding.people.sign_in import APP
from onboarding.questions import form_data
from onboarding.views.access import Request, for_member, for_owner, for_team
from onboarding.views.forms import InviteForm, RoleForm
from onboarding.views.vendor_trip.leaving import SeeOther


@require_read
@for_member
def team(request: Request, membership: Membership) -> HttpResponse:
    """Members with their roles, and the invitations that nobody has accepted yet."""
    merchant = membership.merchant
    members = merchant.memberships.select_related("user", "merchant")
    context = {
        "merchant": merchant,
        "membership": membership,
        "members": members.order_by("-role", "user__name", "user__email"),
        "is_last_owner": team_actions.is_last_owner(membership),
        "invitations": merchant.invitations.filter(merchants.OPEN).select_related("invited_by"),
        "has_other_businesses": len(request.user.businesses) > 1,
    }
    return render(request, "onboarding/team.html", context)


@require_read_or_post
@for_owner
def invite(request: Request, membership: Membership) -> HttpResponse:
    form = InviteForm(membership.merchant, form_data(request))
    if form.is_valid() and _invite(request, membership.merchant, form):
        message = gettext("%(email)s is invited.") % form.cleaned_data
        messages.success(request, message)
        return to_team(membership.merchant)
    return render(
        request, "onboarding/invite.html", {"form": form, "merchant": membership.merchant}
    )


def _invite(request: Request, merchant: Merchant, form: InviteForm) -> bool:
    """False when the invitation must not be sent; the form says why."""
    data = form.cleaned_data
    if not _within_rate_limit(request):
        form.add_error(None, too_many())
        return False
    try:
        team_actions.invite(merchant, request.user, data["email"], data["role"])
    except team_actions.InvitedAlready:
        message = gettext(
            "%(email)s is invited already. You can send the mail again, on the team’s page."
        )
        form.add_error("email", message % data)
        return False
    return True


def _within_rate_limit(request: Request) -> bool:
    """The rate limit of invitations: anybody may sign up, and our mails must be useless to spammers."""
    usage = ratelimit.consume(request, app=APP, action="invite", key=str(request.user.pk))
    return usage is not None


def too_many() -> str:
    """The message for somebody who has reached the rate limit."""
    return gettext("You have sent many invitations. Nothing was sent; try again in an hour.")


@require_post
@for_owner
def send_again(request: Request, membership: Membership, invitation: str) -> HttpResponse:
    found = get_object_or_404(membership.merchant.invitations, reference=invitation)
    if not _within_rate_limit(request):
        messages.error(request, too_many())
        return to_team(membership.merchant)
    if not team_actions.send_again(found):
        return _no_longer_open(request, membership)
    message = gettext("The invitation to %(email)s is sent again. It holds for 7 days from now.")
    return _confirm(request, membership, message, email=found.email)


@require_post
@for_owner
def revoke(request: Request, membership: Membership, invitation: str) -> HttpResponse:
    found = get_object_or_404(membership.merchant.invitations, reference=invitation)
    if not team_actions.revoke(found):
        return _no_longer_open(request, membership)
    message = gettext("The invitation to %(email)s is withdrawn: its link no longer works.")
    return _confirm(request, membership, message, email=found.email)


@require_post
@for_owner
def change_role(request: Request, membership: Membership, member: int) -> HttpResponse:
    colleague, form = _member(membership.merchant, member), RoleForm(request.POST)
    if colleague is None or not form.is_valid():
        return to_team(membership.merchant)
    try:
        team_actions.change_role(colleague, form.cleaned_data["role"])
    except team_actions.LastOwner:
        return last_owner(request, membership)
    colleague.refresh_from_db(fields=["role"])
    message = (
        gettext("%(person)s is an owner now.")
        if colleague.owns
        else gettext("%(person)s is a member now, no longer an owner.")
    )
    return _confirm(request, membership, message, person=colleague.user.get_short_name())


@require_read_or_post
@for_owner
def remove(request: Request, membership: Membership, member: int) -> HttpResponse:
    """What removing means, and the button. Idempotent: who has left already needs no removing."""
    colleague = _member(membership.merchant, member)
    if colleague is None:
        return to_team(membership.merchant)
    if colleague.pk == membership.pk:
        return SeeOther(reverse("leave-team", args=[membership.merchant.reference]))
    if request.method != "POST":
        context = {"merchant": membership.merchant, "member": colleague}
        return render(request, "onboarding/remove_member.html", context)
    try:
        team_actions.remove(colleague)
    except team_actions.LastOwner:
        return last_owner(request, membership)
    message = gettext("%(person)s no longer belongs to the team.")
    return _confirm(request, membership, message, person=colleague.user.get_short_name())


@require_read_or_post
@for_team
def leave(request: Request, membership: Membership) -> HttpResponse:
    """Leave the team; the last owner cannot."""
    if request.method != "POST":
        if team_actions.is_last_owner(membership):
            return last_owner(request, membership, status=200)
        return render(
            request,
            "onboarding/leave.html",
            {"merchant": membership.merchant, "membership": membership},
        )
    try:
        team_actions.remove(membership)
    except team_actions.LastOwner:
        return last_owner(request, membership)
    message = gettext("You have left %(business)s.") % {"business": membership.merchant.name}
    messages.success(request, message)
    return SeeOther(reverse("start"))


def last_owner(request: Request, membership: Membership, status: int = 409) -> HttpResponse:
    is_only_member = membership.merchant.memberships.count() == 1
    context = {"merchant": membership.merchant, "is_only_member": is_only_member}
    return render(request, "onboarding/last_owner.html", context, status=status)


def to_team(merchant: Merchant) -> HttpResponse:
    return SeeOther(reverse("team", args=[merchant.reference]))


def _no_longer_open(request: Request, membership: Membership) -> HttpResponse:
    message = gettext("That invitation is no longer open: it was accepted or withdrawn meanwhile.")
    messages.info(request, message)
    return to_team(membership.merchant)


def _confirm(request: Request, membership: Membership, message: str, **words: str) -> HttpResponse:
    messages.success(request, message % words)
    return to_team(membership.merchant)


def _member(merchant: Merchant, pk: int) -> Membership | None:
    return merchant.memberships.select_related("user", "merchant").filter(pk=pk).first()
