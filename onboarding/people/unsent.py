"""Mails that did not leave while somebody waits: what the form says."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from onboarding.notifications.mail import AddressRefused, NotSent, TooManyMails

from . import code_mail, mail_limits
from .limits import too_many_requests, wait


def sentence(error: NotSent) -> str:
    """Whose turn it is: the address is wrong, it has had enough mails, or our mail is not working."""
    if isinstance(error, AddressRefused):
        return gettext("Email to this address is refused. Check it for typing mistakes.")
    if isinstance(error, TooManyMails):
        said = gettext(
            "We have already sent many emails to this address, so nothing was sent now. %(wait)s"
        )
        return said % {"wait": wait(error.seconds)}
    return gettext("We cannot send email at the moment. Try again in a minute.")


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


class ShowsCodeMail:
    """Mixin for the pages where a code is entered: they say whether its mail has left."""

    request: HttpRequest

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        details: dict[str, object] = super().get_context_data(**kwargs)  # type: ignore[misc]
        process: Any = getattr(self, "_process", None)  # Any: allauth's
        found = process.state.get("email") if process else details.get("email")
        email = str(found or "")
        if code_mail.is_to_give_back(self.request, email):
            mail_limits.was_not_sent(self.request, email)
            mail_limits.brake(self.request, email).give_back()
        return {
            **details,
            "email": email,
            "code_mail": code_mail.mail_to(self.request, email),
            "code_minutes": settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT // 60,
        }
