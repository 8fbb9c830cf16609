"""A new password for somebody who has forgotten it: allauth's pages, with the guesses of the code counted."""

from __future__ import annotations

from allauth.account.forms import ConfirmPasswordResetCodeForm, ResetPasswordForm
from allauth.account.views import ConfirmPasswordResetCodeView, PasswordResetView
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext

from . import codes
from .codes import CodeFormMixin, CodePageMixin
from .limits import too_many_requests
from .unsent import SaysUnsentMail, ShowsCodeMail


class ForgottenPasswordView(SaysUnsentMail, PasswordResetView):  # type: ignore[misc]  # allauth has no types
    """Sends the code."""

    limits = ("reset_password",)

    def form_valid(self, form: ResetPasswordForm) -> HttpResponse:
        if seconds := codes.seconds_to_wait(self.request, form.cleaned_data["email"]):
            return too_many_requests(self.request, seconds)
        response: HttpResponse = super().form_valid(form)
        return response


class PasswordCodeForm(CodeFormMixin, ConfirmPasswordResetCodeForm):  # type: ignore[misc]
    """The form that asks for the code of eight letters."""


class PasswordCodeView(ShowsCodeMail, CodePageMixin, ConfirmPasswordResetCodeView):  # type: ignore[misc]
    """Checks the code. The next page asks for the new password."""

    kind = "new password"
    form_class = PasswordCodeForm

    def new_code(self) -> dict[str, str]:
        again = reverse("account_reset_password")
        return {"action": again, "back_url": again, "back_label": gettext("Use another address")}


forgotten_password = ForgottenPasswordView.as_view()
enter_code = PasswordCodeView.as_view()
