"""Setting up a second step and taking it away: the authenticator app, the recovery codes, and the page
that leads staff there.

Recovery codes are shown until the person confirms that they are saved, and never again.
"""

from __future__ import annotations

from collections.abc import Callable

from allauth.account.decorators import reauthentication_required
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from onboarding import clock
from onboarding.methods import View, require_post, require_read
from onboarding.models import User

from . import second_factor
from .codes import TOO_MANY
from .factor_forms import ActivateForm
from .limits import too_many_requests


@require_read
@never_cache
@login_required
def set_up(request: HttpRequest) -> HttpResponse:
    """Where staff without a second step are led: a passkey or an authenticator app."""
    return render(request, "mfa/set_up.html")


@method_decorator(never_cache, name="dispatch")
class ActivateAppView(ActivateTOTPView):  # type: ignore[misc]  # allauth has no types
    """Adds the authenticator app, once."""

    def form_valid(self, form: ActivateForm) -> HttpResponse:
        with transaction.atomic():
            User.objects.select_for_update(no_key=True).get(pk=self.request.user.pk)
            if not second_factor.has_app(self.request.user):
                response: HttpResponse = super().form_valid(form)
                return response
        return redirect("mfa_index")

    def form_invalid(self, form: ActivateForm) -> HttpResponse:
        if form.has_error("code", TOO_MANY):
            return too_many_requests(self.request, form.guesses.seconds_to_wait())
        page: HttpResponse = super().form_invalid(form)
        return page

    def get_success_url(self) -> str:
        if self.did_generate_recovery_codes:
            return reverse("mfa_view_recovery_codes")
        return second_factor.next_page(self.request, reverse("mfa_index"))

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        details: dict[str, object] = super().get_context_data(**kwargs)
        secret: str = details["form"].secret  # type: ignore[attr-defined]
        groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
        return {**details, "secret": groups}


class RemoveAppView(DeactivateTOTPView):  # type: ignore[misc]
    """Removes the authenticator app, and the recovery codes unless a second step is still asked for."""

    def form_valid(self, form: forms.Form) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        if not second_factor.is_required(self.request.user):
            _codes_of(self.request.user).delete()
        return response


# -- recovery codes --------------------------------------------------------------------------------


def _codes_of(user: User):  # type: ignore[no-untyped-def]  # allauth has no types
    return Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.RECOVERY_CODES)


def _codes(request: HttpRequest) -> RecoveryCodes | None:
    row = _codes_of(request.user).first()  # type: ignore[arg-type]  # who is signed in
    return row.wrap() if row else None


still_them: Callable[[View], View] = reauthentication_required(app="allauth.mfa")


@require_read
@never_cache
@still_them
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """The codes, until they are confirmed; then how many are left."""
    codes = _codes(request)
    if codes is None:
        return redirect("mfa_index")
    unused = codes.get_unused_codes()
    shown = [] if codes.did_view else unused
    details = {"codes": shown, "left": len(unused), "seen": codes.instance.pk}
    return render(request, "mfa/recovery_codes/index.html", details)


@require_post
@never_cache
@still_them
def download_recovery_codes(request: HttpRequest) -> HttpResponse:
    """The codes as a text file, until they are confirmed."""
    codes = _codes(request)
    if codes is None or codes.did_view:
        return redirect("mfa_view_recovery_codes")
    about = gettext("Recovery codes of %(email)s at %(brand)s. Each works once.")
    title = about % {"email": request.user.get_username(), "brand": settings.BRAND_NAME}
    body = "\r\n".join([title, settings.SITE_URL, "", *codes.get_unused_codes(), ""])
    response = HttpResponse(body, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="recovery-codes.txt"'
    return response


@require_post
@never_cache
@still_them
def confirm_recovery_codes(request: HttpRequest) -> HttpResponse:
    """ "I have saved them": they are not shown again. Then on to where the person was heading."""
    with transaction.atomic():
        row = _codes_of(request.user).select_for_update().first()  # type: ignore[arg-type]
        if row and str(row.pk) == request.POST.get("seen") and not row.data.get("viewed_at"):
            row.data["viewed_at"] = clock.timestamp()
            row.save(update_fields=["data"])
            messages.success(request, gettext("Saved. The recovery codes are not shown again."))
    return redirect(second_factor.next_page(request, reverse("mfa_index")))


class NewCodesView(GenerateRecoveryCodesView):  # type: ignore[misc]
    """Replaces all recovery codes."""


activate_app = ActivateAppView.as_view()
remove_app = RemoveAppView.as_view()
new_recovery_codes = never_cache(NewCodesView.as_view())
