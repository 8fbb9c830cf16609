"""A merchant's team: its members and invitations, and what owners may change."""

from __future__ import annotations

from allauth.core.internal import ratelimit
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext

from onboarding import alphabet
from onboarding.methods import require_post, require_read, require_read_or_post
from onboarding.models import (
    Connection,
    Invitation,
    Membership,
    Merchant,
    SecurityEvent,
    merchants,
)
from onboarding.models.outbox import MailState
from onboarding.monitoring import security_log
from onboarding.notifications import refused_addresses
from onboarding.notifications.mail import NotSent, TooManyMails
from onboarding.people import mail_limits
from onboarding.people import team as team_actions
from onboarding.people.unsent import sentence
from onboarding.questions import form_data
from onboarding.views.access import Request, for_member, for_owner, for_team
from onboarding.views.forms import InviteForm, RightsForm, RoleForm
from onboarding.views.vendor_trip.leaving import SeeOther

from .events import newest_lines

Kind = SecurityEvent.Kind


@require_read
@for_member
def team(request: Request, membership: Membership) -> HttpResponse:
    """Members with their roles, and the invitations that nobody has accepted yet."""
    merchant = membership.merchant
    members = sorted(merchant.memberships.select_related("user", "merchant"), key=_place)
    context = {
        "merchant": merchant,
        "membership": membership,
        "members": members,
        "refused": refused_addresses.among(each.user.email for each in members),
        "is_last_owner": team_actions.is_last_owner(membership),
        "invitations": merchant.invitations.filter(merchants.OPEN).select_related("invited_by"),
        "events": newest_lines(membership),
        "has_other_businesses": len(request.user.businesses) > 1,
    }
    return render(request, "onboarding/team.html", context)


def _place(member: Membership) -> tuple[bool, tuple[str, str]]:
    """Owners first, then by the name that is shown."""
    return not member.owns, alphabet.sort_key(member.user.get_short_name())


@require_read_or_post
@for_owner
def invite(request: Request, membership: Membership) -> HttpResponse:
    form = InviteForm(membership.merchant, form_data(request))
    if form.is_valid() and _invite(request, membership.merchant, form):
        return to_team(membership.merchant)
    return render(
        request, "onboarding/invite.html", {"form": form, "merchant": membership.merchant}
    )


def _invite(request: Request, merchant: Merchant, form: InviteForm) -> bool:
    """False when the invitation must not be sent; the form says why."""
    data = form.cleaned_data
    limit = InvitationLimit(request, merchant, data["email"])
    if not limit.consume():
        form.add_error(None, limit.message)
        return False
    try:
        made = team_actions.invite(merchant, request.user, data["email"], data["role"])
    except team_actions.InvitedAlready:
        message = gettext(
            "%(email)s has already been invited. You can send the email again on the team page."
        )
        form.add_error("email", message % data)
        return False
    except NotSent as error:
        limit.give_back()
        form.add_error("email", sentence(error))
        return False
    detail = f"as {made.role}"
    security_log.record(Kind.INVITED, request, merchant=merchant, detail=detail)
    messages.success(request, _invited(made))
    return True


def _invited(invitation: Invitation) -> str:
    if invitation.mailed:
        message = gettext("%(email)s is invited.")
    else:
        message = gettext(
            "%(email)s is invited, but the email has not been sent yet. We keep trying."
        )
    return message % {"email": invitation.email}


class InvitationLimit:
    """The rate limits of invitations: anybody may sign up, and our mails must be useless to spammers.

    Until the business has connected a shop, few are enough. A mailbox gets few mails from us in all.
    """

    def __init__(self, request: Request, merchant: Merchant, email: str) -> None:
        self.request, self.usages = request, list[ratelimit.RateLimitUsage]()
        self.email, self.mail_counts = email, False
        self.message = gettext(
            "You have sent many invitations. Nothing was sent; try again in an hour."
        )
        shops = Connection.objects.filter(account__merchant=merchant)
        self.has_shop = shops.exclude(connected_at=None).exists()

    def consume(self) -> bool:
        if not self.has_shop and not self._consume("invite_before_first_shop"):
            self.message = gettext(
                "Until your first shop is connected, you can send five invitations a day."
                " Nothing was sent."
            )
            return False
        return self._consume("invite") and self._takes_mail()

    def _takes_mail(self) -> bool:
        try:
            mail_limits.take(self.request, self.email)
        except TooManyMails as error:
            self.give_back()
            self.message = sentence(error)
            return False
        self.mail_counts = True
        return True

    def _consume(self, action: str) -> bool:
        key = str(self.request.user.pk)
        if usage := ratelimit.consume(self.request, app="allauth.account", action=action, key=key):
            self.usages.append(usage)
        return usage is not None

    def give_back(self) -> None:
        for usage in self.usages:
            usage.rollback()
        if self.mail_counts:
            mail_limits.was_not_sent(self.request, self.email)


@require_post
@for_owner
def send_again(request: Request, membership: Membership, invitation: str) -> HttpResponse:
    found = get_object_or_404(membership.merchant.invitations, reference=invitation)
    limit = InvitationLimit(request, membership.merchant, found.email)
    if not limit.consume():
        messages.error(request, limit.message)
        return to_team(membership.merchant)
    if not team_actions.send_again(found):
        return _no_longer_open(request, membership)
    match found.mail_state:
        case MailState.SENT:
            message = gettext(
                "The invitation to %(email)s was sent again. It works for 7 days from now."
            )
            return _confirm(request, membership, message, email=found.email)
        case MailState.REFUSED:
            limit.give_back()
            message = gettext(
                "Email to %(email)s is refused. Check the address for typing mistakes."
            )
        case _:
            message = gettext("The email to %(email)s has not been sent yet. We keep trying.")
    messages.error(request, message % {"email": found.email})
    return to_team(membership.merchant)


@require_post
@for_owner
def revoke(request: Request, membership: Membership, invitation: str) -> HttpResponse:
    found = get_object_or_404(membership.merchant.invitations, reference=invitation)
    if not team_actions.revoke(found):
        return _no_longer_open(request, membership)
    message = gettext("The invitation to %(email)s was withdrawn. Its link no longer works.")
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
    _record(request, Kind.ROLE_CHANGED, colleague, f"{colleague.role} now")
    message = (
        gettext("%(person)s is an owner now.")
        if colleague.owns
        else gettext("%(person)s is a member now, no longer an owner.")
    )
    return _confirm(request, membership, message, person=colleague.user.get_short_name())


@require_post
@for_owner
def change_rights(request: Request, membership: Membership, member: int) -> HttpResponse:
    colleague, form = _member(membership.merchant, member), RightsForm(request.POST)
    if colleague is None or colleague.owns or not form.is_valid():
        return to_team(membership.merchant)
    may = form.cleaned_data["may_see_secrets"]
    if team_actions.change_rights(colleague, may_see_secrets=may):
        detail = "may see secrets" if may else "may no longer see secrets"
        _record(request, Kind.ROLE_CHANGED, colleague, detail)
    message = (
        gettext("%(person)s may see keys and secrets now.")
        if may
        else gettext("%(person)s may no longer see keys and secrets.")
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
    _record(request, Kind.MEMBER_REMOVED, colleague)
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
    _record(request, Kind.MEMBER_REMOVED, membership, "left")
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
    message = gettext("That invitation is no longer open: it was accepted or withdrawn.")
    messages.info(request, message)
    return to_team(membership.merchant)


def _confirm(request: Request, membership: Membership, message: str, **words: str) -> HttpResponse:
    messages.success(request, message % words)
    return to_team(membership.merchant)


def _record(request: Request, kind: Kind, about: Membership, detail: str = "") -> None:
    security_log.record(kind, request, user=about.user, merchant=about.merchant, detail=detail)


def _member(merchant: Merchant, pk: int) -> Membership | None:
    return merchant.memberships.select_related("user", "merchant").filter(pk=pk).first()
