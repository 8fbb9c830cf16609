"""E-mail addresses of the signed-in user: allauth's pages, with a redirect back to where it was needed."""

from __future__ import annotations

from allauth.account.views import EmailView, email_verification_sent
from django.db import IntegrityError, transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext

from .sign_in import AFTER_ADDRESS, safe_next_url


class AddressesView(EmailView):  # type: ignore[misc]  # allauth has no types
    """Remembers `next`, to redirect there once a new address is confirmed."""

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if target := safe_next_url(request):
            request.session[AFTER_ADDRESS] = target
        page: HttpResponseBase = super().get(request, *args, **kwargs)
        return page

    def get_form(self, form_class: type[Form] | None = None) -> Form:
        form: Form = super().get_form(form_class)
        form.fields["email"].label = gettext("E-mail address")
        return form


addresses = AddressesView.as_view()


def confirm_address(request: HttpRequest) -> HttpResponseBase:
    """The page that asks for the code. The right code, sent twice at once, confirms the address once."""
    try:
        with transaction.atomic():
            response: HttpResponseBase = email_verification_sent(request)
            return response
    except IntegrityError:
        return redirect("account_email")
