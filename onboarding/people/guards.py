"""What asks “Is it still you?” first: one rule, one table, and what becomes of a POST that has to wait.

Whoever signed in, or answered the question, within ACCOUNT_REAUTHENTICATION_TIMEOUT is not asked. A
middleware looks every request up in GUARDED by the name of its URL, so the table decides for our own pages,
allauth's and the admin's alike. allauth's own check follows the same rule (`Adapter` in sign_in.py).

A POST that has to wait is kept in the session, bound to the user, for the same 15 minutes. Afterwards the
browser is sent to its address with status 307, which repeats a POST, and the middleware puts the kept form
in the place of the answer that came along. So the view runs as if it had been asked at once, at its own
address. A form with a secret is never kept: its page asks before it is filled in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict
from urllib.parse import urlsplit

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext, gettext_lazy
from django_htmx.http import HttpResponseClientRedirect

from onboarding import clock
from onboarding.local_paths import local_path, next_path
from onboarding.models import User

KEPT = "waiting_post"  # key in the session
ANSWER = "still_you"  # a hidden field of each form that answers the question
LONGEST = 20_000  # characters of a form that is kept; ours are shorter
REDIRECT_TAKES = 60  # seconds at most, from the answer to the POST that goes on


@dataclass(frozen=True)
class Guard:
    """`doing`: what the page says is about to happen. `early`: a GET of the page asks too.

    `secret`: the form carries one, so it is asked for early and never kept. `when`: only such POSTs ask.
    `in_view`: the view asks, by `require_recent`, because only it knows what the button does.
    """

    doing: str | Promise
    early: bool = False
    secret: bool = False
    in_view: bool = False
    when: Callable[[HttpRequest], bool] = lambda request: True

    def asks(self, request: HttpRequest) -> bool:
        if self.in_view:
            return False
        if request.method == "POST":
            return self.when(request)
        return self.early or self.secret


def _changes_addresses(request: HttpRequest) -> bool:
    """Sending the code of an address once more changes nothing."""
    return "action_send" not in request.POST


def _invites_owner(request: HttpRequest) -> bool:
    return request.POST.get("role") == "owner"


_STAFF = Guard(gettext_lazy("Change who may do what"))
_PASSWORD = Guard(gettext_lazy("Change your password"), secret=True)
_AT_VENDOR = Guard(gettext_lazy("Change something at our partner"))
_EXPORT = Guard(gettext_lazy("Export what is held about somebody"))
_OWN_DATA = Guard(gettext_lazy("Download your data"))
_BUSINESS_DATA = Guard(gettext_lazy("Download the data of a business"))
_CLOSE = Guard(gettext_lazy("Erase a person or close a business"))
_DELETE = Guard(gettext_lazy("Delete this for good"))
_CODES = Guard(gettext_lazy("See your recovery codes"), early=True)

# By the name of a URL. tests/site/test_guards.py has the reviewed list of all others.
GUARDED: dict[str, Guard] = {
    # who one is, and how one signs in
    "account_email": Guard(gettext_lazy("Change your email addresses"), when=_changes_addresses),
    "account_change_password": _PASSWORD,
    "account_set_password": Guard(gettext_lazy("Set a password"), secret=True),
    "mfa_add_webauthn": Guard(gettext_lazy("Add a passkey"), secret=True),
    "mfa_edit_webauthn": Guard(gettext_lazy("Rename a passkey"), early=True),
    "mfa_remove_webauthn": Guard(gettext_lazy("Remove a passkey"), early=True),
    "mfa_activate_totp": Guard(gettext_lazy("Add an authenticator app"), secret=True),
    "mfa_deactivate_totp": Guard(gettext_lazy("Remove your authenticator app"), early=True),
    "mfa_generate_recovery_codes": Guard(gettext_lazy("Get new recovery codes"), early=True),
    "mfa_confirm_recovery_codes": Guard(gettext_lazy("Hide your recovery codes for good")),
    "mfa_view_recovery_codes": _CODES,
    "mfa_download_recovery_codes": _CODES,
    "sessions": Guard(gettext_lazy("Sign out other browsers")),
    "own-data": _OWN_DATA,
    "own-data-download": _OWN_DATA,
    "close-account": Guard(gettext_lazy("Close your account")),
    # the team
    "invite": Guard(gettext_lazy("Invite an owner"), when=_invites_owner),
    "change-role": Guard(gettext_lazy("Change somebody’s role")),
    "change-rights": Guard(gettext_lazy("Change somebody’s rights")),
    "remove-member": Guard(gettext_lazy("Remove somebody from the team")),
    "leave-team": Guard(gettext_lazy("Leave the team")),
    "business-data": _BUSINESS_DATA,
    "business-data-download": _BUSINESS_DATA,
    "close-business": Guard(gettext_lazy("Close a business")),
    # shops
    "reveal": Guard(gettext_lazy("Show a key and secret")),
    "reveal-download": Guard(gettext_lazy("Download a key and secret")),
    "reveal-kept": Guard(gettext_lazy("Delete a key and secret here, after you have saved them")),
    "disconnect": Guard(gettext_lazy("Disconnect a shop")),
    "remove": Guard(gettext_lazy("Remove a shop from your list")),
    "act": Guard(gettext_lazy("Delete something at the vendor"), in_view=True),
    # staff
    "admin:password_change": _PASSWORD,
    "admin:onboarding_user_add": _STAFF,
    "admin:onboarding_user_change": _STAFF,
    "admin:onboarding_merchant_add": _STAFF,
    "admin:onboarding_merchant_change": _STAFF,
    "admin:onboarding_user_reset_factors": Guard(gettext_lazy("Remove a person’s second step")),
    "admin:onboarding_user_sessions": Guard(gettext_lazy("End a person’s sessions")),
    "admin:onboarding_user_export": _EXPORT,
    "admin:onboarding_user_close": _CLOSE,
    "admin:onboarding_merchant_export": _EXPORT,
    "admin:onboarding_merchant_close": _CLOSE,
    "admin:auth_group_add": _STAFF,
    "admin:auth_group_change": _STAFF,
    "admin:auth_group_changelist": _STAFF,
    "admin:auth_group_delete": _STAFF,
    "admin:onboarding_account_act": _AT_VENDOR,
    "admin:onboarding_connection_act": _AT_VENDOR,
    "admin:onboarding_connector_act": _AT_VENDOR,
    "admin:onboarding_connector_run": _AT_VENDOR,
    "admin:onboarding_account_know": Guard(
        gettext_lazy("See or change what only staff know"), secret=True
    ),
    "admin:onboarding_connector_delete": _DELETE,
    "admin:onboarding_waitlistentry_delete": _DELETE,
    "admin:onboarding_connectorrequest_delete": _DELETE,
}


# -- the rule --------------------------------------------------------------------------------------


def is_recent(request: HttpRequest) -> bool:
    """Whether whoever is signed in has shown it within the last minutes, by signing in or since."""
    return isinstance(request.user, User) and _is_recent(request, request.user)


def _is_recent(request: HttpRequest, user: User) -> bool:
    records = get_authentication_records(request, user)
    newest = max((record["at"] for record in records), default=0.0)
    return bool(clock.timestamp() - newest < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


def note_sign_in(request: HttpRequest, user: User, **_: object) -> None:
    """A sign-in counts, by whatever door: allauth notes most of them, but not all."""
    if not _is_recent(request, user):
        record_authentication(request, user, method="sign-in")


def require_recent(request: HttpRequest) -> None:
    """Ask “Is it still you?” first, by an exception, unless that was shown a moment ago."""
    if not is_recent(request):
        raise ReauthenticationRequired


# -- asking ----------------------------------------------------------------------------------------


class Kept(TypedDict):
    """A POST that waits. `then`: the page to open if it can no longer be carried out. `answered_at`: when
    the browser was sent to carry it out; 0 before."""

    user: int
    at: float
    path: str
    then: str
    form: str | None  # None: it carries a secret
    answered_at: float


def before_view(request: HttpRequest) -> HttpResponseBase | None:
    """The question, a step on the way back from it, or None: the view may run."""
    if request.method == "POST" and not _asks_itself(request):
        if _put_back(request):
            return None
        if ANSWER in request.POST:  # it was carried out before, or waited too long
            return redirect(next_path(request) or reverse("shops"))
    guard = guard_of(request)
    if guard is None or not isinstance(request.user, User) or not guard.asks(request):
        return None
    return None if is_recent(request) else ask(request)


def guard_of(request: HttpRequest) -> Guard | None:
    return GUARDED.get(request.resolver_match.view_name) if request.resolver_match else None


def ask(request: HttpRequest) -> HttpResponseBase:
    """Redirect to the first page of “Is it still you?”; a POST waits for its answer."""
    from allauth.account.adapter import get_adapter  # it imports this module

    then = _page_after(request)
    if not isinstance(request.user, User):
        return _whole_page(request, redirect_to_login(then))
    request.session.pop(KEPT, None)
    request.session.pop(STATE_SESSION_KEY, None)
    if request.method == "POST":
        _keep(request, request.user, then)
    page = get_adapter().get_reauthentication_methods(request.user)[0]["url"]
    return _whole_page(request, redirect(f"{page}?{urlencode({'next': then})}"))


def _page_after(request: HttpRequest) -> str:
    """The page to open afterwards: this one; else the one where the button was pressed."""
    here = local_path(request.get_full_path())
    if not here or getattr(request, "htmx", False):
        referer = urlsplit(request.META.get("HTTP_REFERER", ""))
        there = local_path(f"{referer.path}?{referer.query}" if referer.query else referer.path)
        return there or here or reverse("shops")
    return here


def _keep(request: HttpRequest, user: User, then: str) -> None:
    guard = guard_of(request)
    fields = request.POST.copy()
    fields.pop("csrfmiddlewaretoken", None)
    form: str | None = fields.urlencode()
    if form is None or len(form) > LONGEST or (guard and guard.secret):
        form = None
    kept: Kept = {
        "user": user.pk,
        "at": clock.timestamp(),
        "path": request.get_full_path(),
        "then": then,
        "form": form,
        "answered_at": 0,
    }
    request.session[KEPT] = kept
    # allauth calls it after the right answer, whichever of its pages took it.
    request.session[STATE_SESSION_KEY] = {"state": {}, "callback": f"{__name__}.go_on"}


def _whole_page(request: HttpRequest, response: HttpResponseRedirect) -> HttpResponseBase:
    """For a request by htmx, the whole page goes there."""
    return HttpResponseClientRedirect(response.url) if getattr(request, "htmx", False) else response


# -- going on --------------------------------------------------------------------------------------


def go_on(request: HttpRequest, state: object = None) -> HttpResponse | None:
    """After the answer: send the browser to the POST that waits. None: open the next page."""
    kept = _waiting(request)
    if kept is None or kept["then"] != next_path(request):
        return None
    if kept["form"] is None:
        request.session.pop(KEPT)
        text = gettext("Please fill in the form again. We never keep passwords and secrets.")
        messages.info(request, text)
        return None
    request.session[KEPT] = {**kept, "answered_at": clock.timestamp()}
    return HttpResponseRedirect(kept["path"], preserve_request=True)


def _waiting(request: HttpRequest) -> Kept | None:
    """The POST of this user that waits, unless it has waited too long."""
    kept: Kept | None = request.session.get(KEPT)
    if kept is None or kept["user"] != request.user.pk:
        return None
    age = clock.timestamp() - kept["at"]
    return kept if age < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT else None


def _asks_itself(request: HttpRequest) -> bool:
    """Whether this is the page that takes the answer."""
    return bool(request.resolver_match and "reauthenticate" in request.resolver_match.view_name)


def _put_back(request: HttpRequest) -> bool:
    """If the browser came here with the answer's form: the form that waits takes its place, once."""
    kept = _waiting(request) if request.user.is_authenticated else None
    if kept is None or kept["form"] is None or kept["path"] != request.get_full_path():
        return False
    if clock.timestamp() - kept["answered_at"] > REDIRECT_TAKES or not is_recent(request):
        return False
    request.session.pop(KEPT)
    request.POST = QueryDict(kept["form"])
    return True


def doing(request: HttpRequest) -> str:
    """What is about to happen, for the page and the mail; "" when it is not known."""
    kept = _waiting(request)
    path = kept["path"] if kept and kept["then"] == next_path(request) else next_path(request)
    try:
        guard = GUARDED.get(resolve(urlsplit(path).path).view_name)
    except Resolver404:
        return ""
    return str(guard.doing) if guard else ""
