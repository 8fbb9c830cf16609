"""“Is it still you?” by a mailed code, for people who cannot use their passkey or password any more.

allauth asks for a passkey or a password, so whoever lost a passkey could not even remove it. A mailed
code signs in; it may also confirm who is signed in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import BaseConfirmCodeForm
from allauth.account.internal.flows.code_verification import AbstractCodeVerificationProcess
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from allauth.account.models import EmailAddress
from allauth.account.views import BaseReauthenticateView
from allauth.core.exceptions import ReauthenticationRequired
from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from onboarding.notifications.mail import NotSent

from . import code_mail, codes
from .codes import CodePageMixin, SixDigitsMixin
from .limits import too_many_requests
from .sign_in import retry_after
from .unsent import APP, ShowsCodeMail, give_back, sentence

View = Callable[..., HttpResponseBase]
STATE = "reauthentication_code"  # key in the session
LIMITS = ("send_code", "request_login_code")  # rate limits of its mails


class ReauthenticationProcess(AbstractCodeVerificationProcess):  # type: ignore[misc]
    """allauth's process of a mailed code, for somebody who is signed in."""

    def __init__(self, request: HttpRequest, state: Mapping[str, Any]) -> None:
        # Any: allauth's state is JSON of its own.
        super().__init__(
            max_attempts=settings.GUESSES_PER_CODE,
            timeout=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT,
            state=state,
            user=request.user,
        )
        self.request = request

    @classmethod
    def resume(cls, request: HttpRequest) -> ReauthenticationProcess | None:
        """The code that this browser waits for, if there is one that has not expired."""
        state = request.session.get(STATE)
        process: ReauthenticationProcess | None = (
            cls(request, state).abort_if_invalid() if state else None
        )
        return process

    def send(self) -> None:
        adapter = get_adapter()
        self.state["code"] = adapter.generate_login_code()
        details = {"code": self.code}
        adapter.send_mail("account/email/reauthentication_code", self.state["email"], details)

    def persist(self) -> None:
        self.request.session[STATE] = self.state

    def abort(self) -> None:
        self.request.session.pop(STATE, None)

    def finish(self) -> None:
        """Remember that it is still them."""
        self.abort()
        email = self.state["email"]
        record_authentication(
            self.request, self.user, method="code", email=email, reauthenticated=True
        )


class ReauthenticationCodeForm(SixDigitsMixin, BaseConfirmCodeForm):  # type: ignore[misc]
    """The form that asks for the code."""


@method_decorator([login_required, never_cache], name="dispatch")
class ReauthenticationCodeView(ShowsCodeMail, CodePageMixin, BaseReauthenticateView):  # type: ignore[misc]
    """Sends a code (a POST with `send`) and checks it; then allauth does what it was asked for before."""

    kind = "still you"
    template_name = "account/reauthenticate_code.html"
    form_class = ReauthenticationCodeForm

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        self._process = ReauthenticationProcess.resume(request)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def _check_ratelimit(self, request: HttpRequest) -> None:
        """Guesses have limits of their own, and so have the mails."""

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not self._process:
            page: HttpResponse = self.render_to_response(self.get_context_data(form=None))
            return page
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if "send" in request.POST:
            return self.send_code()
        if not self._process:
            return self.without_code()
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response

    def without_code(self) -> HttpResponse:
        """A code was entered that this browser does not wait for: it has expired, or the button was
        pressed twice and the first press did it."""
        if did_recently_reauthenticate(self.request):
            response: HttpResponse = super().form_valid(None)
            return response
        text = gettext("This code no longer works. You can ask for a new one.")
        messages.info(self.request, text)
        return self.to_this_page()

    def send_code(self) -> HttpResponse:
        email = address_of(self.request)
        if seconds := codes.seconds_to_wait(self.request, email):
            return too_many_requests(self.request, seconds)
        if not ratelimit.consume(self.request, app=APP, action="send_code", key=email):
            self.just_sent(email)
        elif not ratelimit.consume(self.request, app=APP, action="request_login_code", key=email):
            return too_many_requests(self.request, retry_after("request_login_code", email))
        else:
            self.begin(email)
        return self.to_this_page()

    def begin(self, email: str) -> None:
        try:
            begin(self.request, email)
        except NotSent as error:
            give_back(self.request, LIMITS, email)
            messages.error(self.request, sentence(error))
        else:
            code_mail.remember_limits(self.request, LIMITS, email)

    def just_sent(self, email: str) -> None:
        """Say why none is sent now: an address gets at most one code in ten seconds."""
        if self._process and not self.guesses.are_used_up():
            code_mail.say_just_sent(self.request, email)
        else:
            text = gettext("Another code was asked for a moment ago. Try again in ten seconds.")
            messages.info(self.request, text)

    def form_valid(self, form: ReauthenticationCodeForm) -> HttpResponse:
        self._process.finish()  # type: ignore[union-attr]  # `post` has looked
        response: HttpResponse = super().form_valid(form)
        return response

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        details = super().get_context_data(**kwargs)
        email = self._process.state["email"] if self._process else address_of(self.request)
        return {**details, "email": email}

    def new_code(self) -> dict[str, str]:
        return {"action": self.request.get_full_path(), "button_name": "send"}

    def to_this_page(self) -> HttpResponse:
        return redirect(self.passthrough_next_url(reverse("account_reauthenticate_code")))


def begin(request: HttpRequest, email: str) -> None:
    """Send a code; from now on this browser waits for it."""
    state = ReauthenticationProcess.initial_state(request.user, email)
    process = ReauthenticationProcess(request, state)
    process.send()
    process.persist()


def address_of(request: HttpRequest) -> str:
    """The confirmed address of who is signed in, the main one first."""
    confirmed = EmailAddress.objects.get_verified(request.user)
    return str(confirmed.email if confirmed else request.user.get_username())


def is_recent(request: HttpRequest) -> bool:
    """Whether whoever is signed in has shown it within the last minutes, by signing in or since."""
    records = get_authentication_records(request, request.user)
    newest = max((record["at"] for record in records), default=0.0)
    return bool(time.time() - newest < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


def recently_authenticated(view: View) -> View:
    """Ask “Is it still you?” before a POST of this view, unless that was shown a moment ago.

    The POST goes on afterwards, by itself. It is kept in the session: not for forms with a secret.
    """

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # Any: as the view takes them
        if request.method == "POST" and request.user.is_authenticated and not is_recent(request):
            raise ReauthenticationRequired
        return view(request, *args, **kwargs)

    return inner


enter_code = ReauthenticationCodeView.as_view()
