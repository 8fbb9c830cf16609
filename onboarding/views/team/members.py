"""A merchant's team: who belongs to it, who is invited, and what owners may change."""

from __future__ import annotations

from typing import Any

from allauth.core.internal import ratelimit
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from onboarding.models import Membership, Merchant, merchants
from onboarding.people import team as verbs
from onboarding.people.sign_in import APP
from onboarding.questions import form_data
from onboarding.views.access import Request, for_member, for_owner, for_team
from onboarding.views.forms import InviteForm, RoleForm
from onboarding.views.vendor_trip.leaving import SeeOther


@require_GET
@for_member
def team(request: Request, mine: Membership) -> HttpResponse:
    """Members with their roles, and the invitations that nobody has accepted yet."""
    merchant = mine.merchant
    members = merchant.memberships.select_related("user", "merchant")
    context = {
        "merchant": merchant,
        "mine": mine,
        "members": members.order_by("-role", "user__name", "user__email"),
        "only_owner": verbs.is_last_owner(mine),
        "invitations": merchant.invitations.filter(merchants.OPEN).select_related("invited_by"),
        "several": len(request.user.businesses) > 1,
    }
    return render(request, "onboarding/team.html", context)


@require_http_methods(["GET", "POST"])
@for_owner
def invite(request: Request, mine: Membership) -> HttpResponse:
    form = InviteForm(mine.merchant, form_data(request))
    if form.is_valid() and _invited(request, mine.merchant, form):
        said = gettext("%(email)s is invited.") % form.cleaned_data
        messages.success(request, said)
        return to_team(mine.merchant)
    return render(request, "onboarding/invite.html", {"form": form, "merchant": mine.merchant})


def _invited(request: Request, merchant: Merchant, form: InviteForm) -> bool:
    """False when it must not be, which the form then says."""
    data = form.cleaned_data
    if not _may_mail(request):
        form.add_error(None, too_many())
        return False
    try:
        verbs.invite(merchant, request.user, data["email"], data["role"])
    except verbs.InvitedAlready:
        said = gettext(
            "%(email)s is invited already. You can send the mail again, on the team’s page."
        )
        form.add_error("email", said % data)
        return False
    return True


def _may_mail(request: Request) -> bool:
    """Anybody may sign up and invite: our mails must be no use to a spammer."""
    usage = ratelimit.consume(request, app=APP, action="invite", key=str(request.user.pk))
    return usage is not None


def too_many() -> str:
    return gettext("You have sent many invitations. Nothing was sent; try again in an hour.")


@require_POST
@for_owner
def send_again(request: Request, mine: Membership, invitation: str) -> HttpResponse:
    row = get_object_or_404(mine.merchant.invitations, reference=invitation)
    if not _may_mail(request):
        messages.error(request, too_many())
        return to_team(mine.merchant)
    if not verbs.send_again(row):
        return _too_late(request, mine)
    said = gettext("The invitation to %(email)s is sent again. It holds for 7 days from now.")
    return _told(request, mine, said, email=row.email)


@require_POST
@for_owner
def revoke(request: Request, mine: Membership, invitation: str) -> HttpResponse:
    row = get_object_or_404(mine.merchant.invitations, reference=invitation)
    if not verbs.revoke(row):
        return _too_late(request, mine)
    said = gettext("The invitation to %(email)s is withdrawn: its link no longer works.")
    return _told(request, mine, said, email=row.email)


@require_POST
@for_owner
def change_role(request: Request, mine: Membership, member: int) -> HttpResponse:
    row, form = _member(mine.merchant, member), RoleForm(request.POST)
    if row is None or not form.is_valid():
        return to_team(mine.merchant)
    try:
        verbs.change_role(row, form.cleaned_data["role"])
    except verbs.LastOwner:
        return last_owner(request, mine)
    row.refresh_from_db(fields=["role"])
    said = (
        gettext("%(person)s is an owner now.")
        if row.owns
        else gettext("%(person)s is a member now, no longer an owner.")
    )
    return _told(request, mine, said, person=row.user.get_short_name())


@require_http_methods(["GET", "POST"])
@for_owner
def remove(request: Request, mine: Membership, member: int) -> HttpResponse:
    """What it means, and the button. Who is no longer there need not be removed again."""
    row = _member(mine.merchant, member)
    if row is None:
        return to_team(mine.merchant)
    if row.pk == mine.pk:
        return SeeOther(reverse("leave-team", args=[mine.merchant.reference]))
    if request.method == "GET":
        context = {"merchant": mine.merchant, "member": row}
        return render(request, "onboarding/remove_member.html", context)
    try:
        verbs.remove(row)
    except verbs.LastOwner:
        return last_owner(request, mine)
    said = gettext("%(person)s no longer belongs to the team.")
    return _told(request, mine, said, person=row.user.get_short_name())


@require_http_methods(["GET", "POST"])
@for_team
def leave(request: Request, mine: Membership) -> HttpResponse:
    """For everybody but the last owner."""
    if request.method == "GET":
        if verbs.is_last_owner(mine):
            return last_owner(request, mine, status=200)
        return render(request, "onboarding/leave.html", {"merchant": mine.merchant, "mine": mine})
    try:
        verbs.remove(mine)
    except verbs.LastOwner:
        return last_owner(request, mine)
    said = gettext("You have left %(business)s.") % {"business": mine.merchant.name}
    messages.success(request, said)
    return SeeOther(reverse("start"))


def last_owner(request: Request, mine: Membership, status: int = 409) -> HttpResponse:
    alone = mine.merchant.memberships.count() == 1
    context = {"merchant": mine.merchant, "alone": alone}
    return render(request, "onboarding/last_owner.html", context, status=status)


def to_team(merchant: Merchant) -> HttpResponse:
    return SeeOther(reverse("team", args=[merchant.reference]))


def _too_late(request: Request, mine: Membership) -> HttpResponse:
    said = gettext("That invitation is no longer open: it was accepted or withdrawn meanwhile.")
    messages.info(request, said)
    return to_team(mine.merchant)


def _told(request: Request, mine: Membership, said: str, **words: Any) -> HttpResponse:
    messages.success(request, said % words)
    return to_team(mine.merchant)


def _member(merchant: Merchant, pk: int) -> Membership | None:
    return merchant.memberships.select_related("user", "merchant").filter(pk=pk).first()
