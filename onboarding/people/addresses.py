"""E-mail addresses of the signed-in user: allauth's page, with a redirect back to where it was needed."""

from __future__ import annotations

from allauth.account.views import EmailView
from django.forms import Form
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext

from onboarding.local_paths import next_path

from .sign_in import AFTER_ADDRESS


class AddressesView(EmailView):  # type: ignore[misc]  # allauth has no types
    """Remembers `next`, to redirect there once a new address is confirmed."""

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if target := next_path(request):
            request.session[AFTER_ADDRESS] = target
        page: HttpResponseBase = super().get(request, *args, **kwargs)
        return page

    def get_form(self, form_class: type[Form] | None = None) -> Form:
        form: Form = super().get_form(form_class)
        form.fields["email"].label = gettext("E-mail address")
        return form


addresses = AddressesView.as_view()
