"""Mails that did not leave while somebody waits: what the form says, and the limits that are given back."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from onboarding.notifications.mail import AddressRefused, NotSent

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
        return response

    def after_unsent(self, error: NotSent) -> None:
        """What else has to be undone."""


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
