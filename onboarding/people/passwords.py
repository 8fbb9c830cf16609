"""A new password for somebody who has forgotten it: allauth's pages, with the guesses of the code counted."""

from __future__ import annotations

from allauth.account.forms import ConfirmPasswordResetCodeForm, ResetPasswordForm
from allauth.account.internal.flows.password_reset_by_code import PasswordResetVerificationProcess
from allauth.account.models import EmailAddress
from allauth.account.views import (
    CompletePasswordResetView,
    ConfirmPasswordResetCodeView,
    PasswordResetView,
)
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext

from . import codes
from .codes import CodeFormMixin, CodePageMixin
from .limits import too_many_requests
from .unsent import SaysUnsentMail, ShowsCodeMail


class ForgottenPasswordView(SaysUnsentMail, PasswordResetView):  # type: ignore[misc]  # allauth has no types
    """Sends the code."""

    def form_valid(self, form: ResetPasswordForm) -> HttpResponse:
        if seconds := codes.seconds_to_wait(self.request, form.cleaned_data["email"]):
            return too_many_requests(self.request, seconds)
        response: HttpResponse = super().form_valid(form)
        return response


class PasswordCodeForm(CodeFormMixin, ConfirmPasswordResetCodeForm):  # type: ignore[misc]
    """The form that asks for the code of eight letters."""


class ForCurrentAddress:
    """Mixin: a code helps nobody once its address no longer belongs to the account."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        process = PasswordResetVerificationProcess.resume(request)
        if process and process.user:
            addresses = EmailAddress.objects.filter(user=process.user)
            if not addresses.filter(email__iexact=process.state["email"]).exists():
                process.abort()
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        return response


class PasswordCodeView(
    ForCurrentAddress,
    ShowsCodeMail,
    CodePageMixin,
    ConfirmPasswordResetCodeView,  # type: ignore[misc]  # allauth has no types
):
    """Checks the code. The next page asks for the new password."""

    kind = codes.NEW_PASSWORD
    form_class = PasswordCodeForm

    def new_code(self) -> dict[str, str]:
        again = reverse("account_reset_password")
        return {"action": again, "back_url": again, "back_label": gettext("Use another address")}


class NewPasswordView(ForCurrentAddress, CompletePasswordResetView):  # type: ignore[misc]
    """Asks for the new password, after the right code."""


forgotten_password = ForgottenPasswordView.as_view()
enter_code = PasswordCodeView.as_view()
choose_new = NewPasswordView.as_view()
