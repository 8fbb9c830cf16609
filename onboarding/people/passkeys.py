"""Adding a passkey: allauth's page, where the same passkey sent twice at once is added once."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.flows import auto_generate_recovery_codes
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from allauth.mfa.webauthn.internal.auth import WebAuthn
from allauth.mfa.webauthn.views import AddWebAuthnView
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from onboarding.models import User

from . import second_factor


class AddPasskeyView(AddWebAuthnView):  # type: ignore[misc]  # allauth has no types
    def form_valid(self, form: AddWebAuthnForm) -> HttpResponse:
        """Recovery codes are made only for people who need a second step: for all others a mailed code
        does what the passkey does, and ten codes to keep would be of no use."""
        user = self.request.user
        with transaction.atomic():
            User.objects.select_for_update(no_key=True).get(pk=user.pk)
            if _has(user, form.cleaned_data["credential"]["id"]):
                return redirect("mfa_index")
            _add(self.request, form.cleaned_data["name"], form.cleaned_data["credential"])
            if second_factor.is_required(user) and auto_generate_recovery_codes(self.request):
                return redirect("mfa_view_recovery_codes")
        return redirect(second_factor.next_page(self.request, "mfa_index"))


def _add(request: HttpRequest, name: str, credential: dict[str, object]) -> None:
    """As allauth does it, but for the recovery codes."""
    passkey = WebAuthn.add(request.user, name, credential).instance
    adapter = get_adapter()

    def tell() -> None:
        signals.authenticator_added.send(
            sender=Authenticator, request=request, user=request.user, authenticator=passkey
        )
        adapter.add_message(request, messages.SUCCESS, "mfa/messages/webauthn_added.txt")
        adapter.send_notification_mail("mfa/email/webauthn_added", request.user)

    transaction.on_commit(tell)


def _has(user: User, credential_id: str) -> bool:
    passkeys = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    return any(each.data["credential"]["id"] == credential_id for each in passkeys)


add_passkey = AddPasskeyView.as_view()
