"""Mail backend of the demo: stores mails as files in DATA_DIR and shows them on a page.

Both exist only with EMAIL_URL=demo:, which a system check refuses on a public address: whoever can
open the page can sign in as anybody. They are files because web process, worker and commands all write.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from email import message_from_bytes, policy
from pathlib import Path
from secrets import token_hex
from time import time_ns
from typing import NamedTuple

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from onboarding.methods import require_read

STORED = 200  # mails; older ones are deleted
SHOWN = 50  # mails on the page
CODE = re.compile(r"^[A-Z0-9][A-Z0-9-]{4,11}$", re.MULTILINE)


class Mail(NamedTuple):
    """A mail as the page shows it. `key` sorts by time; `code` is a code in the text, or empty."""

    key: str
    to: str
    subject: str
    at: datetime
    code: str
    text: str


class MailBackend(BaseEmailBackend):
    """Django's mail backend for EMAIL_URL=demo:."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = mail_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for message in email_messages:
            store(folder, message.message().as_bytes())
        delete_oldest(folder)
        return len(email_messages)


@require_read
@never_cache
def demo_mails(request: HttpRequest) -> HttpResponse:
    """The page of the newest mails. htmx polls it with `?since=<key>`: 204 while there is none newer."""
    if not settings.DEMO_MAILS:
        raise Http404
    mails = newest(mail_folder())
    key = mails[0].key if mails else ""
    if "since" in request.GET and request.GET["since"] == key:
        return HttpResponse(status=204)
    return render(request, "demo/mails.html", {"mails": mails, "newest": key})


def mail_folder() -> Path:
    """The folder that holds the demo's mails."""
    return Path(settings.DATA_DIR) / "mails"


def store(folder: Path, content: bytes) -> None:
    """Write one mail atomically: other processes see all of it or nothing."""
    key = f"{time_ns():020d}-{token_hex(4)}"
    draft = folder / f"{key}.draft"
    draft.write_bytes(content)
    draft.replace(folder / f"{key}.eml")


def delete_oldest(folder: Path) -> None:
    """Delete all but the newest mails. Another process may be deleting the same files."""
    for path in sorted(folder.glob("*.eml"), reverse=True)[STORED:]:
        path.unlink(missing_ok=True)


def newest(folder: Path) -> list[Mail]:
    """Up to SHOWN mails, the newest first. Mails that another process has just deleted are left out."""
    mails = (read(path) for path in sorted(folder.glob("*.eml"), reverse=True)[:SHOWN])
    return [mail for mail in mails if mail]


def read(path: Path) -> Mail | None:
    """One stored mail, or None if it was deleted."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    parsed = message_from_bytes(content, policy=policy.default)
    body = parsed.get_body(("plain", "html"))
    text = str(body.get_content()).strip() if body else ""
    found = CODE.search(text)
    seconds = int(path.stem.split("-")[0]) / 1e9
    return Mail(
        key=path.stem,
        to=str(parsed["To"]),
        subject=str(parsed["Subject"]),
        at=datetime.fromtimestamp(seconds, tz=timezone.get_current_timezone()),
        code=found.group() if found else "",
        text=text,
    )
