"""The pages that ask for a second factor: the second step of signing in, and “Is it still you?”."""

from __future__ import annotations

from allauth.mfa.base.views import AuthenticateView, ReauthenticateView
from allauth.mfa.models import Authenticator
from django import forms
from django.http import HttpResponse
from django.views.decorators.cache import never_cache

from onboarding.models import SecurityEvent
from onboarding.monitoring.security_log import record

from .codes import TOO_MANY
from .factor_forms import Guesses
from .limits import too_many_requests


class SecondStepView(AuthenticateView):  # type: ignore[misc]  # allauth has no types
    """After a mailed code or a password."""

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        user = self.stage.login.user
        if form.has_error("code", TOO_MANY):
            return too_many_requests(self.request, Guesses(user).seconds_to_wait())
        if form.has_error("credential"):
            kind = SecurityEvent.Kind.WRONG_FACTOR
            record(kind, self.request, user=user, detail="passkey")
        page: HttpResponse = super().form_invalid(form)
        return page

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        details: dict[str, object] = super().get_context_data(**kwargs)
        passkey_failed = bool(self.webauthn_form.errors)
        return {**details, **ways(self.stage.login.user.pk), "passkey_failed": passkey_failed}


class StillYouView(ReauthenticateView):  # type: ignore[misc]
    """Somebody who is signed in."""

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        if form.has_error("code", TOO_MANY):
            return too_many_requests(self.request, form.guesses.seconds_to_wait())  # type: ignore[attr-defined]
        page: HttpResponse = super().form_invalid(form)
        return page

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        details: dict[str, object] = super().get_context_data(**kwargs)
        return {**details, **ways(self.request.user.pk)}


def ways(user_id: int) -> dict[str, bool]:
    """What this person can take the second step with: `app`, `passkey`, `recovery_codes`."""
    kinds = set(Authenticator.objects.filter(user_id=user_id).values_list("type", flat=True))
    return {
        "app": Authenticator.Type.TOTP in kinds,
        "passkey": Authenticator.Type.WEBAUTHN in kinds,
        "recovery_codes": Authenticator.Type.RECOVERY_CODES in kinds,
    }


second_step = SecondStepView.as_view()
still_you = never_cache(StillYouView.as_view())
