"""Email addresses of a user: allauth's page, the code that confirms one, and the way back."""

from __future__ import annotations

from allauth.account.forms import ConfirmEmailVerificationCodeForm
from allauth.account.views import ConfirmEmailVerificationCodeView, EmailView
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext

from onboarding.local_paths import next_path
from onboarding.notifications.mail import NotSent, TooManyMails

from . import codes
from .codes import CodeFormMixin, CodePageMixin
from .limits import too_many_requests
from .sign_in import AFTER_ADDRESS
from .unsent import SaysUnsentMail, ShowsCodeMail, sentence

SENDS_CODE = {"action_add", "action_send"}  # buttons


class AddressesView(SaysUnsentMail, EmailView):  # type: ignore[misc]  # allauth has no types
    """Remembers `next`, to redirect there once a new address is confirmed."""

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if target := next_path(request):
            request.session[AFTER_ADDRESS] = target
        page: HttpResponseBase = super().get(request, *args, **kwargs)
        return page

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        wanted = SENDS_CODE & request.POST.keys()
        if wanted and (seconds := codes.seconds_to_wait(request, request.POST.get("email", ""))):
            return too_many_requests(request, seconds)
        page: HttpResponseBase = super().post(request, *args, **kwargs)
        return page

    def _action_send(
        self, request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponse | None:
        """Send the code of an address in the list again: there is no field, so the page says what failed."""
        try:
            response: HttpResponse | None = super()._action_send(request, *args, **kwargs)
        except TooManyMails as error:
            response = too_many_requests(request, error.seconds)
        except NotSent as error:
            messages.error(request, f"{request.POST['email']}: {sentence(error)}")
            response = None
        return response


class AddressCodeForm(CodeFormMixin, ConfirmEmailVerificationCodeForm):  # type: ignore[misc]
    """The form that asks for the code of eight letters."""


class AddressCodeView(ShowsCodeMail, CodePageMixin, ConfirmEmailVerificationCodeView):  # type: ignore[misc]
    """Confirms an address by its code: a further one, or the one of somebody who signs in."""

    kind = codes.ADDRESS
    form_class = AddressCodeForm

    def form_valid(self, form: AddressCodeForm) -> HttpResponseBase:
        """The right code, sent twice at once, confirms the address once."""
        try:
            with transaction.atomic():
                response: HttpResponseBase = super().form_valid(form)
                return response
        except IntegrityError:
            return redirect("account_email")

    def new_code(self) -> dict[str, str]:
        if (
            self.stage
        ):  # somebody who is not signed in: the code that signs in confirms the address too
            again, back = reverse("account_login"), gettext("Use another address")
            return {"action": again, "back_url": again, "back_label": back}
        known = self._process.email_address.pk
        return {
            "action": reverse("account_email"),
            "button_name": "action_send" if known else "action_add",
            "back_url": reverse("account_email"),
            "back_label": gettext("Email addresses"),
        }


addresses = AddressesView.as_view()
confirm_address = AddressCodeView.as_view()
