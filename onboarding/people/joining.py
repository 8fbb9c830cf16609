"""Joining a team by an invitation: the press on “Join” is the consent, also where a code comes first.

Somebody who is not signed in presses the button, gets a code at the invited address, and is a member as soon
as that code has signed them in. In between, the session remembers what was pressed, and when. It works for
whoever has verified the invited address, and for nobody else: another sign-in in this browser joins nothing.
"""

from __future__ import annotations

from typing import TypedDict

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext

from onboarding import clock
from onboarding.models import Invitation, SecurityEvent, User
from onboarding.monitoring import security_log

from . import team

WANTED = "joining"  # key in the session
HOLDS = 60 * 60  # seconds from the press to the sign-in


class Wanted(TypedDict):
    """The invitation whose button was pressed, and when that was."""

    invitation: str
    at: float


def remember(request: HttpRequest, invitation: Invitation) -> None:
    """“Join” was pressed by somebody who is not signed in."""
    pressed: Wanted = {"invitation": invitation.reference, "at": clock.timestamp()}
    request.session[WANTED] = pressed


def wanted(request: HttpRequest) -> Invitation | None:
    """The invitation that waits in this session for a sign-in; None if there is none, or it was long ago."""
    found: Wanted | None = request.session.get(WANTED)
    if found is None or clock.timestamp() - found["at"] > HOLDS:
        return None
    rows = Invitation.objects.select_related("merchant")
    return rows.filter(reference=found["invitation"]).first()


def after_sign_in(request: HttpRequest, user: User) -> str:
    """Join what was wanted; the path of the business, or else of the invitation. "" if nothing was wanted."""
    invitation = wanted(request)
    request.session.pop(WANTED, None)
    if invitation is None:
        return ""
    if not join(request, invitation, user):
        return invitation.get_absolute_url()  # its page says why
    return invitation.merchant.get_absolute_url()


def join(request: HttpRequest, invitation: Invitation, user: User) -> bool:
    """Make the user a member, log it and say so; False if the invitation is not open, or not theirs."""
    if not team.accept(invitation, user):
        return False
    kind, detail = SecurityEvent.Kind.JOINED, f"as {invitation.role}"
    security_log.record(kind, request, user=user, merchant=invitation.merchant, detail=detail)
    message = gettext("You’ve joined %(business)s.") % {"business": invitation.merchant.name}
    messages.success(request, message)
    return True


def wanted_by(request: HttpRequest, email: str) -> Invitation | None:
    """The invitation whose button has asked for the code that this address gets.

    Anybody may have the link, so such pages show the address as the invitation's page does: `masked`.
    """
    invitation = wanted(request)
    return invitation if invitation and invitation.email == email.lower() else None


def masked(email: str) -> str:
    """The address, recognisable to its owner only: "b•••@example.org"."""
    name, _, domain = email.rpartition("@")
    return f"{name[:1]}•••@{domain}"
