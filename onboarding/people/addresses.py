"""One's own e-mail addresses: allauth's page, and the way back to where another one was asked for."""

from __future__ import annotations

from typing import Any

from allauth.account.views import EmailView
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext

from .sign_in import AFTER_ADDRESS, asked_for


class AddressesView(EmailView):  # type: ignore[misc]  # allauth has no types
    """Once a new address is confirmed, its owner goes on where they came from (`next`)."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if target := asked_for(request):
            request.session[AFTER_ADDRESS] = target
        page: HttpResponseBase = super().get(request, *args, **kwargs)
        return page

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        form.fields["email"].label = gettext("E-mail address")
        return form


addresses = AddressesView.as_view()
