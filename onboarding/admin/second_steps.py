"""The second step of a user, as staff see it, and taking it away from somebody who has lost it."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import TextChoices
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, gettext_lazy

from onboarding.models import User
from onboarding.people import factor_reset
from onboarding.people.second_factor import KINDS

from .base import BaseAdmin
from .tables import NOTHING
from .vendor_actions import ActionLink, ActionList


class Proof(TextChoices):
    """How staff know that it is really them. The label goes into the security log."""

    CALLED = "called", gettext_lazy("called back at a number that we had before")
    MET = "met", gettext_lazy("met in person")
    VOUCHED = "vouched", gettext_lazy("another owner of the business vouched for them")
    DOCUMENTS = "documents", gettext_lazy("showed documents")


class ResetForm(forms.Form):
    proof = forms.ChoiceField(
        label=gettext_lazy("How do you know that it is them?"),
        choices=[("", ""), *Proof.choices],
        error_messages={"required": gettext_lazy("Choose how you know that it is them.")},
    )


class SecondStepsAdmin(BaseAdmin):
    """Users, with a page that removes somebody's second step."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.reset_view)
        url = path("<path:object_id>/reset-factors/", view, name="onboarding_user_reset_factors")
        return [url, *super().get_urls()]

    def page_context(self, request: HttpRequest, user: User) -> dict[str, object]:
        shown = {"action_lists": [self.second_step_list(request, user)]}
        return {**super().page_context(request, user), **shown}

    def second_step_list(self, request: HttpRequest, user: User) -> ActionList:
        link = ActionLink(
            title=gettext("Remove their second step"),
            notes=[gettext("For somebody who has lost phone, passkey and recovery codes.")],
            url=reverse("admin:onboarding_user_reset_factors", args=[user.pk]),
            button=gettext("Remove it"),
            danger=True,
        )
        has_one = Authenticator.objects.filter(user_id=user.pk).exists()
        return ActionList(
            id="gw-second-step",
            title=gettext("Second step"),
            links=[link] if has_one and may_reset(request, user) else [],
            denied=gettext(
                "You can view this. To act on it, you need the permission to change it."
            ),
        )

    def reset_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user: User = self.object_to_act_on(request, object_id)
        if not may_reset(request, user):
            raise PermissionDenied
        form = ResetForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            return self._reset(request, user, Proof(form.cleaned_data["proof"]))
        context = {
            "title": gettext("Remove their second step?"),
            "explain": gettext(
                "Passkeys, authenticator app and recovery codes are removed, and the person is signed"
                " out everywhere. After that, a code by email signs them in. We tell them by email."
            ),
            "button": gettext("Remove it"),
            "danger": True,
            "original": user,
            "vendor": user,
            "back": reverse("admin:onboarding_user_change", args=[user.pk]),
        }
        return self.render_form(request, form, context)

    def _reset(self, request: HttpRequest, user: User, proof: Proof) -> HttpResponse:
        if factor_reset.reset(user, request, why=f"proof: {proof.value}"):
            self.log_change(request, user, f"Removed the second step; {proof.value}.")
            self.message_user(request, gettext("The second step is removed."), messages.SUCCESS)
        else:
            self.message_user(request, gettext("There was no second step to remove."))
        return redirect("admin:onboarding_user_change", user.pk)


def may_reset(request: HttpRequest, user: User) -> bool:
    """Only a superuser lets somebody of staff in with less, and nobody does so for themselves."""
    if user.pk == request.user.pk:
        return False
    powerful = user.is_staff or user.is_superuser
    return not powerful or bool(request.user.is_superuser)


def kinds(user: User) -> str:
    """What this user has, for a line of the page."""
    found = Authenticator.objects.filter(user_id=user.pk).order_by("type")
    return ", ".join(dict.fromkeys(KINDS[each.type] for each in found)) or NOTHING
