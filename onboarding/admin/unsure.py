"""Unsure creations: a vendor's answer was lost, and staff say whether the thing was created."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, gettext_lazy

from onboarding import journey, registry
from onboarding.fields import LineField
from onboarding.models import Account, Attempt, Event
from vendors.contract import VendorError

from .base import ATTEMPT_SECRETS, CONNECTION_SECRETS, ReadOnlyAdmin, staff_user
from .tables import timeline
from .vendor_actions import error_text, translated


@dataclass(frozen=True)
class UnsureCreation:
    """The facts of a creation whose answer was lost, for admin/parts/unsure.html.

    `attempt` announced it; `look_for` is what the vendor's module asks staff to look for. `entered` is
    the id that staff entered before, which the vendor has refused or not proved yet. `token` identifies
    this creation and its state: a button on an outdated page must not decide a newer one.
    """

    account: Account
    creation: str
    attempt: Attempt | None
    vendor: str
    look_for: str
    decidable: bool
    timeline: list[Event]

    @property
    def is_unsure(self) -> bool:
        """Otherwise staff have decided, and may correct the id."""
        return self.account.unsure == self.creation

    @property
    def entered(self) -> str:
        return str(self.account.found.get(self.creation, ""))

    @property
    def token(self) -> str:
        if self.attempt is None:
            return self.creation
        return f"{self.creation}-{self.attempt.pk}-{self.attempt.version}"


def unsure_creation(account: Account) -> UnsureCreation | None:
    """What staff have to decide, or an id of theirs that they may still correct; None if there is neither."""
    creation = account.unsure or next(iter(account.found), "")
    if not creation:
        return None
    vendor = registry.vendor_of(account.vendor)
    attempts = Attempt.objects.select_related("connection", "user").defer(
        *ATTEMPT_SECRETS, *(f"connection__{name}" for name in CONNECTION_SECRETS)
    )
    attempt = attempts.filter(pk=account.creator_id or 0).first()
    return UnsureCreation(
        account=account,
        creation=creation,
        attempt=attempt,
        vendor=registry.vendor_name(account.vendor),
        look_for=translated(vendor.creations.get(creation)) if vendor else "",
        decidable=vendor is not None and vendor.can("resolve") and attempt is not None,
        timeline=timeline(attempt.events.all()) if attempt else [],
    )


class FoundForm(forms.Form):
    """The id at the vendor of something that does exist."""

    found = LineField(
        max_length=200,
        error_messages={"required": gettext_lazy("Enter its ID at the vendor.")},
    )


class UnsureAdmin(ReadOnlyAdmin):
    """Accounts, with the two buttons that decide: it exists, or it does not."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.resolve_view)
        url = path("<path:object_id>/resolve/", view, name="onboarding_account_resolve")
        return [url, *super().get_urls()]

    def resolve_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A GET shows the facts and the buttons; a POST is one of the buttons."""
        account: Account = self.object_to_act_on(request, object_id)
        unsure = unsure_creation(account)
        if unsure is None:
            self.message_user(request, gettext("There is nothing left to decide here."))
            return redirect("admin:onboarding_account_change", account.pk)
        problem = self._decide(request, unsure) if request.method == "POST" else ""
        if request.method == "POST" and not problem:
            return redirect("admin:onboarding_account_change", account.pk)
        return self._resolve_page(request, unsure, problem)

    def _decide(self, request: HttpRequest, unsure: UnsureCreation) -> str:
        """What is wrong with the decision; "" when it was saved."""
        if request.POST.get("seen") != unsure.token:
            return gettext(
                "Something has changed since you opened this page. Read the facts again."
            )
        if not unsure.decidable:
            return gettext("You cannot decide this here: the vendor is switched off.")
        if request.POST.get("answer") == "missing" and unsure.is_unsure:
            return self._resolve(request, unsure, None)
        form = FoundForm(request.POST)
        if not form.is_valid():
            return str(form.errors["found"][0])
        return self._resolve(request, unsure, form.cleaned_data["found"])

    def _resolve(self, request: HttpRequest, unsure: UnsureCreation, found: str | None) -> str:
        outcome = journey.resolve(
            unsure.account.pk, found, by=staff_user(request), creation=unsure.creation
        )
        if isinstance(outcome, VendorError):
            return error_text(outcome)
        answer = "it does not exist" if found is None else f"it exists, its id is {found}"
        self.log_change(request, unsure.account, f"Lost answer, {unsure.creation}: {answer}.")
        text = gettext(
            "Saved. The connection continues by itself within a few seconds. If %(vendor)s does"
            " not know the ID, you are asked again here."
        ) % {"vendor": unsure.vendor}
        self.message_user(request, text, messages.SUCCESS)
        return ""

    def _resolve_page(
        self, request: HttpRequest, unsure: UnsureCreation, problem: str
    ) -> HttpResponse:
        context = {
            "title": gettext("Was it created?"),
            "original": unsure.account,
            "back": reverse("admin:onboarding_account_change", args=[unsure.account.pk]),
            "unsure": unsure,
            "may_act": True,
            "problem": problem,
            "typed": request.POST.get("found", unsure.entered),
        }
        return self.render_page(
            request, "account/resolve.html", context, status=422 if problem else 200
        )
