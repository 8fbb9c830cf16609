"""Mails that did not leave while somebody waits: what the form says."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from onboarding.notifications.mail import AddressRefused, NotSent, TooManyMails

from .limits import too_many_requests, wait

APP = "allauth.account"


def sentence(error: NotSent) -> str:
    """Whose turn it is: the address is wrong, it has had enough mails, or our mail is not working."""
    if isinstance(error, AddressRefused):
        return gettext("Mail to this address is refused. Check it for a typing mistake.")
    if isinstance(error, TooManyMails):
        said = gettext("This address has had many mails from us. Nothing was sent. %(wait)s")
        return said % {"wait": wait(error.seconds)}
    return gettext("We cannot send mail at the moment. Try again in a minute.")


class SaysUnsentMail:
    """Mixin for allauth's views: a mail that did not leave is an error of the form, not of the page.

    `address_field`: where the address was typed.
    """

    address_field: ClassVar[str] = "email"
    request: HttpRequest

    # Any: a form of the view's own class
    def form_valid(self, form: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        except TooManyMails as error:
            self.after_unsent(error)
            response = too_many_requests(self.request, error.seconds)
        except NotSent as error:
            at_field = self.address_field if isinstance(error, AddressRefused) else None
            form.add_error(at_field, sentence(error))
            self.after_unsent(error)
            response = self.form_invalid(form)  # type: ignore[attr-defined]
        return response

    def after_unsent(self, error: NotSent) -> None:
        """What else has to be undone."""
