"""How many mails a stranger can make us send to one mailbox: codes of every kind, and invitations."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest

from onboarding.notifications.mail import TooManyMails

from . import limits
from .askers import MAILS, Asker, limits_for
from .limits import Limit, digest, give_back, note_refusal, take_each

BRAKE = timedelta(seconds=10)


def take(request: HttpRequest, email: str) -> None:
    """Count a mail that is about to be sent. Raises TooManyMails: it must not be."""
    if refused := take_each(limits_for(request, MAILS, email)):
        note_refusal(request, refused)
        raise TooManyMails(refused.seconds_left())


def was_not_sent(request: HttpRequest, email: str) -> None:
    give_back(limits_for(request, MAILS, email))


def seconds_to_wait(request: HttpRequest, email: str) -> int:
    """Seconds until a mail to this address may be asked for again; 0 if it may now."""
    return limits.seconds_to_wait(request, limits_for(request, MAILS, email))


def brake(request: HttpRequest, email: str) -> Limit:
    """One code in ten seconds for a browser that presses twice. The form's cookie tells browsers apart."""
    browser = request.COOKIES.get(settings.CSRF_COOKIE_NAME) or Asker.of(request).ip
    return Limit(f"just sent:{digest(email, browser)}", 1, BRAKE)
