"""“Is it still you?” by a mailed code, for people who have no passkey and no password, or cannot use them.

allauth asks for a passkey or a password. A mailed code signs in; it may also confirm who is signed in.
What asks, and what happens afterwards, is in guards.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import BaseConfirmCodeForm
from allauth.account.internal.flows.code_verification import AbstractCodeVerificationProcess
from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from allauth.account.views import BaseReauthenticateView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from onboarding.notifications.mail import NotSent, TooManyMails

from . import code_mail, codes, guards, mail_limits
from .codes import CodePageMixin, SixDigitsMixin, StoredCode
from .guards import is_recent
from .limits import too_many_requests
from .unsent import ShowsCodeMail, sentence

STATE = "reauthentication_code"  # key in the session


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
        self.state["code"] = StoredCode.of(codes.STILL_YOU, adapter.new_code())
        details = {"code": self.code, "doing": guards.doing(self.request)}
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

    kind = codes.STILL_YOU
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
        if is_recent(self.request):
            response: HttpResponse = guards.go_on(self.request) or super().form_valid(None)
            return response
        text = gettext("This code no longer works. You can ask for a new one.")
        messages.info(self.request, text)
        return self.to_this_page()

    def send_code(self) -> HttpResponse:
        email = address_of(self.request)
        if seconds := codes.seconds_to_wait(self.request, email):
            return too_many_requests(self.request, seconds)
        brake = mail_limits.brake(self.request, email)
        if not brake.take():
            self.just_sent(email)
            return self.to_this_page()
        try:
            begin(self.request, email)
        except TooManyMails as error:
            return too_many_requests(self.request, error.seconds)
        except NotSent as error:
            brake.give_back()
            messages.error(self.request, sentence(error))
        return self.to_this_page()

    def just_sent(self, email: str) -> None:
        """Say why none is sent now: a browser gets at most one code in ten seconds."""
        if self._process and not self.guesses.are_used_up():
            code_mail.say_just_sent(self.request, email)
        else:
            text = gettext("We sent another code a moment ago. Try again in ten seconds.")
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


enter_code = ReauthenticationCodeView.as_view()
