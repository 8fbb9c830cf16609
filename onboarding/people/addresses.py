"""Email addresses of the signed-in user: allauth's page, with a redirect back to where it was needed."""

from __future__ import annotations

from allauth.account.views import EmailView
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from onboarding.notifications.mail import NotSent

from .sign_in import AFTER_ADDRESS, safe_next_url
from .unsent import SaysUnsentMail, give_back, sentence


class AddressesView(SaysUnsentMail, EmailView):  # type: ignore[misc]  # allauth has no types
    """Remembers `next`, to redirect there once a new address is confirmed."""

    limits = ("confirm_email",)

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if target := safe_next_url(request):
            request.session[AFTER_ADDRESS] = target
        page: HttpResponseBase = super().get(request, *args, **kwargs)
        return page

    def _action_send(
        self, request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponse | None:
        """Send the code of an address in the list again: there is no field, so the page says what failed."""
        try:
            response: HttpResponse | None = super()._action_send(request, *args, **kwargs)
        except NotSent as error:
            give_back(request, self.limits, request.POST["email"].lower())
            messages.error(request, f"{request.POST['email']}: {sentence(error)}")
            response = None
        return response


addresses = AddressesView.as_view()
