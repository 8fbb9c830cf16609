"""Staff without a second factor get no page: they are led to set one up, or to show theirs.

This holds for the whole session, on the merchants' pages too, and for sessions that began before STAFF_MFA
was on: a page that opened with less would be the way in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import ResolverMatch, reverse
from django.utils.http import urlencode

from onboarding.models import User

from . import second_factor

GetResponse = Callable[[HttpRequest], HttpResponseBase]
# Pages by the names of their addresses.
ALWAYS_OPEN = {
    *("account_logout", "admin:logout", "account_reauthenticate", "account_reauthenticate_code"),
    *("mfa_reauthenticate", "mfa_reauthenticate_webauthn", "brand_css", "security_txt"),
    *("demo_mails", "demo_mail_html"),
}
CODES = {"mfa_view_recovery_codes", "mfa_download_recovery_codes", "mfa_confirm_recovery_codes"}
SETTING_UP = {"mfa_set_up", "mfa_activate_totp", "mfa_add_webauthn", *CODES}


class StaffGate:
    """Middleware, after the one that knows who is signed in."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponseBase | None:
        if not settings.STAFF_MFA or not request.user.is_authenticated or not request.user.is_staff:
            return None
        match: ResolverMatch | None = request.resolver_match
        name = match.view_name if match else ""
        return None if name in ALWAYS_OPEN else _step_that_is_missing(request, name)


def _step_that_is_missing(request: HttpRequest, name: str) -> HttpResponseBase | None:
    """Where to do it; None if none is missing, or this is the page to do it."""
    user = cast(User, request.user)  # a member of staff is signed in
    if not second_factor.has_one(user):
        return None if name in SETTING_UP else _lead_to(request, "mfa_set_up")
    if not second_factor.was_taken(request):
        way = "mfa_reauthenticate" if second_factor.has_app(user) else "mfa_reauthenticate_webauthn"
        return redirect(f"{reverse(way)}?{urlencode({'next': _wanted(request)})}")
    if second_factor.has_unsaved_codes(user):
        return None if name in CODES else _lead_to(request, "mfa_view_recovery_codes")
    return None


def _lead_to(request: HttpRequest, name: str) -> HttpResponseBase:
    if request.method == "GET":
        request.session[second_factor.NEXT] = request.get_full_path()
    return redirect(name)


def _wanted(request: HttpRequest) -> str:
    """What a GET has asked for; a form is not sent again by itself."""
    return request.get_full_path() if request.method == "GET" else reverse("shops")
