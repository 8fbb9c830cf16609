"""Mails that did not leave while somebody waits: what the form says, and the limits that are given back."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.core.internal import ratelimit
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from onboarding.notifications.mail import AddressRefused, NotSent

from . import code_mail

APP = "allauth.account"


def sentence(error: NotSent) -> str:
    """Whose turn it is: the address is wrong, or our mail is not working."""
    if isinstance(error, AddressRefused):
        return gettext("Mail to this address is refused. Check it for a typing mistake.")
    return gettext("We cannot send mail at the moment. Try again in a minute.")


class SaysUnsentMail:
    """Mixin for allauth's views: a mail that did not leave is an error of the form, not of the page.

    `address_field`: where the address was typed. `limits`: the rate limits of mails to an address.
    """

    address_field: ClassVar[str] = "email"
    limits: ClassVar[tuple[str, ...]] = ()
    request: HttpRequest

    # Any: a form of the view's own class
    def form_valid(self, form: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        except NotSent as error:
            give_back(self.request, self.limits, form.cleaned_data[self.address_field])
            at_field = self.address_field if isinstance(error, AddressRefused) else None
            form.add_error(at_field, sentence(error))
            self.after_unsent(error)
            response = self.form_invalid(form)  # type: ignore[attr-defined]
        else:
            code_mail.remember_limits(
                self.request, self.limits, form.cleaned_data[self.address_field]
            )
        return response

    def after_unsent(self, error: NotSent) -> None:
        """What else has to be undone."""


class ShowsCodeMail:
    """Mixin for the pages where a code is entered: they say whether its mail has left."""

    request: HttpRequest

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        details: dict[str, object] = super().get_context_data(**kwargs)  # type: ignore[misc]
        process: Any = getattr(self, "_process", None)  # Any: allauth's
        found = process.state.get("email") if process else details.get("email")
        email = str(found or "")
        give_back(self.request, code_mail.limits_to_give_back(self.request, email), email)
        return {
            **details,
            "email": email,
            "code_mail": code_mail.mail_to(self.request, email),
            "code_minutes": settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT // 60,
        }


def give_back(request: HttpRequest, actions: tuple[str, ...], key: str) -> None:
    """Undo one use of allauth's rate limits for this address. Those for an IP address still count it."""
    for action in actions:
        for rate in ratelimit.get_rates(app=APP, action=action):
            if rate.per == "key":
                _forget_newest(request, action, rate, key)


def _forget_newest(request: HttpRequest, action: str, rate: ratelimit.Rate, key: str) -> None:
    name = ratelimit.get_cache_key(request, app=APP, action=action, rate=rate, key=key)
    with ratelimit.cache_lock(name) as locked:
        history = cache.get(name, [])
        if locked and history:
            cache.set(name, history[1:], rate.duration)
