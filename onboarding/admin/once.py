"""A form that staff send twice does its work once: each page of a form has an id of its own."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import admin, messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext

from onboarding.models import Slot

LONGEST = 60


class SentBefore(Exception):
    """This very form was sent before, from the same page."""


def new_form_id() -> str:
    """For the hidden field `form_id` of a page that is about to be shown."""
    return secrets.token_urlsafe(16)


def claim(request: HttpRequest) -> None:
    """Claim the form's id, in the transaction of its work if there is one. Raises SentBefore."""
    form_id = request.POST.get("form_id", "")[:LONGEST]
    if not form_id:
        return
    try:
        with transaction.atomic():
            Slot.objects.create(key=f"form:{form_id}")
    except IntegrityError as error:
        raise SentBefore from error


def sent_before_text() -> str:
    return gettext("You sent this form twice. We carried it out once.")


class AddsOnce(admin.ModelAdmin):  # type: ignore[type-arg]  # no subscript at run time
    """The same form, sent twice at once, adds one row."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        more = {**(extra_context or {}), "form_id": None if object_id else new_form_id()}
        try:
            return super().changeform_view(request, object_id, form_url, more)
        except SentBefore:
            self.message_user(request, sent_before_text(), messages.WARNING)
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        except IntegrityError:  # somebody saved the same a moment ago: now the form says so
            return super().changeform_view(request, object_id, form_url, more)

    # Any: the form of the admin's own model, and its row
    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        if not change:
            claim(request)
        return super().save_form(request, form, change)
