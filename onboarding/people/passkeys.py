"""Adding a passkey: allauth's page, where the same passkey sent twice at once is added once."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from allauth.mfa.webauthn.views import AddWebAuthnView
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect

from onboarding.models import User


class AddPasskeyView(AddWebAuthnView):  # type: ignore[misc]  # allauth has no types
    @transaction.atomic
    def form_valid(self, form: AddWebAuthnForm) -> HttpResponse:
        User.objects.select_for_update(no_key=True).get(pk=self.request.user.pk)
        if _has(self.request.user, form.cleaned_data["credential"]["id"]):
            return redirect("mfa_index")
        response: HttpResponse = super().form_valid(form)
        return response


def _has(user: User, credential_id: str) -> bool:
    passkeys = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    return any(each.data["credential"]["id"] == credential_id for each in passkeys)


add_passkey = AddPasskeyView.as_view()
