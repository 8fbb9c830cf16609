"""What became of the mail with a code, on the page where the code is entered.

A page waits only a moment for the mail server. Afterwards the row of the mail says whether it has left, and
each look at the page says so. The session remembers which row belongs to which address.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext

from onboarding import clock
from onboarding.models import AccountMail

SESSION = "code_mails"  # key in the session: address → {"row": primary key, "counted": by limits}
REMEMBERED = 5  # addresses of one session
SOON = timedelta(seconds=30)  # how long “it can take a minute” is said before “it does not leave”


@dataclass(frozen=True)
class CodeMail:
    """The newest mail to an address in this session; `row` is None if it is no longer known."""

    row: AccountMail | None

    @property
    def is_refused(self) -> bool:
        return self.row is not None and self.row.mail_refused

    @property
    def is_sent(self) -> bool:
        return self.row is None or self.row.mailed is not None

    @property
    def is_late(self) -> bool:
        """It does not leave: a try has failed, or none was made for long."""
        if self.row is None or self.is_sent or self.is_refused:
            return False
        return self.row.failed is not None or self.row.created < clock.now() - SOON

    @property
    def is_on_its_way(self) -> bool:
        return not (self.is_sent or self.is_refused or self.is_late)

    @property
    def has_failed(self) -> bool:
        return self.is_refused or bool(self.row and self.row.failed and not self.row.mailed)

    @property
    def may_change(self) -> bool:
        """Whether a later look may show something else."""
        return not (self.is_sent or self.is_refused)


def remember(request: HttpRequest, email: str, row: AccountMail) -> None:
    known: dict[str, Any] = request.session.get(SESSION, {})  # Any: JSON, as SESSION says
    others = [item for item in known.items() if item[0] != email.lower()]
    newest = (email.lower(), {"row": row.pk, "counted": True})
    request.session[SESSION] = dict([*others, newest][-REMEMBERED:])


def mail_to(request: HttpRequest, email: str) -> CodeMail:
    """What became of the mail to this address."""
    entry = request.session.get(SESSION, {}).get(email.lower(), {})
    return CodeMail(AccountMail.objects.filter(pk=entry.get("row")).first())


def is_to_give_back(request: HttpRequest, email: str) -> bool:
    """Whether this mail was counted and has failed; True once."""
    entry = request.session.get(SESSION, {}).get(email.lower(), {})
    if not entry.get("counted") or not mail_to(request, email).has_failed:
        return False
    entry["counted"] = False
    request.session.modified = True
    return True


def say_just_sent(request: HttpRequest, email: str) -> None:
    """Why no further code is sent now. While the mail is on its way, the page itself says so."""
    if mail_to(request, email).is_sent:
        text = gettext("We have just sent a code. It may take a minute to arrive.")
        messages.info(request, text)
