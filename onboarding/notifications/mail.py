"""Mails: how each of ours looks, and what a failure to send one means.

Every mail is a `Mail`: marked as automatic, with an HTML part that is made from its text. In the text, a
line of code stands alone, and the address of one of our pages stands alone below a line that ends in a
colon: in the HTML part they are a large code and a button, and a link below the line “-- ”. There the mail
says why its reader gets it.
"""

from __future__ import annotations

import logging
import re
import smtplib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from email.utils import make_msgid
from itertools import groupby
from typing import NamedTuple

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.functional import lazy
from django.utils.translation import gettext

from onboarding.colours import accents
from onboarding.email_addresses import sender_domain
from onboarding.models import Merchant, User
from vendors.contract.characters import one_line

from . import choices
from .kinds import kind_of, why
from .readers import Reader, reading_as

log = logging.getLogger(__name__)
CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{4,11}")
NO_BREAK = re.compile("([\u00a0\u202f])")  # blanks at which no line ends
LONGEST_SUBJECT = 150  # characters
LONGEST_NAME = 60  # characters of a name that somebody typed
LONGEST_ANSWER = 200  # characters of what a mail server said


class NotSent(Exception):
    """The mail did not leave. `for_staff`: whether staff can do something about it.

    `reason`: why, in plain words. `answer`: what the mail server said.
    """

    for_staff = True
    reason = "The mail server could not be reached."
    answer = ""


class AddressRefused(NotSent):
    """The mail server refuses the recipient for good. Trying again is of no use."""

    for_staff = False
    reason = "The mail server refuses this address."


class TooManyMails(NotSent):
    """The mailbox has had as many mails as it gets. `seconds`: until the next one."""

    for_staff = False

    def __init__(self, seconds: int) -> None:
        super().__init__("too many mails")
        self.seconds = seconds


@dataclass(frozen=True)
class About:
    """What a mail is, beside its words: for its headers and for the log.

    `person`: who reads it, if that is known. `has_choices`: whether its footer leads to their choices.
    `group`: of MailGroup, where it can be switched off.
    """

    kind: str = ""
    language: str = ""
    person: User | None = None
    merchant: Merchant | None = None
    group: str = ""
    has_choices: bool = False

    @property
    def choices_url(self) -> str:
        """The page where the reader chooses which mails they get."""
        if not (self.person and self.has_choices):
            return ""
        return choices.link(self.person, self.merchant, self.group)

    def headers(self) -> dict[str, str]:
        """RFC 8058: mail programs show a button, which switches the group off with one POST."""
        if not (self.group and self.choices_url):
            return {}
        return {
            "List-Unsubscribe": f"<{self.choices_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }


NOTHING_KNOWN = About()


class Mail(EmailMultiAlternatives):
    """A mail of ours. `text` is the plain text; the HTML part says the same, in the language of now."""

    def __init__(
        self, subject: str, text: str, to: Sequence[str], about: About = NOTHING_KNOWN
    ) -> None:
        headers = {
            "Auto-Submitted": "auto-generated",
            "Message-ID": make_msgid(domain=sender_domain(settings.EMAIL_FROM)),
            **about.headers(),
        }
        support = [settings.SUPPORT_EMAIL] if settings.SUPPORT_EMAIL else None
        line = _subject(subject)
        super().__init__(
            line, text.strip() + "\n", settings.EMAIL_FROM, to, headers=headers, reply_to=support
        )
        self.about = about
        self.attach_alternative(html_part(line, text), "text/html")


def compose(
    template: str,
    to: Sequence[str],
    context: Mapping[str, object],
    language: str = "",
    *,
    kind: str = "",
    person: User | None = None,
    merchant: Merchant | None = None,
) -> Mail:
    """The mail of `<template>_subject.txt` and `<template>_message.txt`, to addresses.

    It belongs to no group: nobody can switch it off. `kind`: of kinds.py, if the template does not tell.
    `person`: whom it is for, if the address alone does not tell.
    """
    with translation.override(language) if language else nullcontext():
        in_language = translation.get_language() or settings.LANGUAGE_CODE
        about = About(kind or kind_of(template), in_language, person, merchant)
        return _composed(template, to, context, about)


def compose_for(
    reader: Reader,
    template: str,
    context: Mapping[str, object],
    *,
    kind: str,
    group: str = "",
    merchant: Merchant | None = None,
) -> Mail:
    """A mail to one person, in their language and time zone. Its footer leads to what they may switch off.

    `merchant`: the business that it is about, if it is not the reader's. Whether the person wants the group
    is asked before (`choices.wants`).
    """
    whose = merchant or reader.merchant
    about = About(kind, reader.language, reader.user, whose, group, has_choices=True)
    with reading_as(reader):
        return _composed(template, [reader.email], context, about)


def _composed(
    template: str, to: Sequence[str], context: Mapping[str, object], about: About
) -> Mail:
    business = quoted(about.merchant.name) if about.merchant else context.get("business", "")
    site = {
        "brand_name": settings.BRAND_NAME,
        "support_email": settings.SUPPORT_EMAIL,
        "site_url": settings.SITE_URL,
        "code_minutes": settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT // 60,
        "why": why(about.kind, business),
        "group": about.group,
        "choices_url": about.choices_url,
    }
    subject = render_to_string(f"{template}_subject.txt", {**site, **context})
    text = render_to_string(f"{template}_message.txt", {**site, **context})
    return Mail(subject, text, to, about)


def _subject(text: str) -> str:
    """In one line. What belongs together stays so: “« Acme »” does not end a line behind its first sign."""
    line = "".join(
        part if NO_BREAK.match(part) else one_line(part) for part in NO_BREAK.split(text)
    )
    return line if len(line) <= LONGEST_SUBJECT else shortened(line, LONGEST_SUBJECT)


# -- names that somebody typed ---------------------------------------------------------------------


def _quoted(name: str) -> str:
    """A name in a mail: in the reader's quotes, in one line, and no longer than a name needs to be."""
    plain = re.sub('[“”„"«»]', "'", one_line(name))
    return gettext("“%(name)s”") % {"name": shortened(plain, LONGEST_NAME)}


# Lazy: what a mail says is gathered before its language is known.
quoted = lazy(_quoted, str)


def _quoted_list(names: Sequence[str]) -> str:
    return ", ".join(map(_quoted, names))


quoted_list = lazy(_quoted_list, str)


def quoted_for_strangers(name: str) -> str:
    """Like `quoted`, with blanks where a mail program would see a web address and make a link of it."""
    spaced = one_line(name).replace("://", ": // ")
    return quoted(re.sub(r"([.\u3002\uff0e\uff61@])(?=[\w\u200c\u200d])", r"\1 ", spaced))


def shortened(text: str, most: int) -> str:
    line = one_line(text)
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


# -- the HTML part ---------------------------------------------------------------------------------


class Block(NamedTuple):
    """A part of the HTML: `kind` is "text", "list", "code" or "link"; a link has a URL."""

    kind: str
    text: str
    url: str = ""

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


def html_part(subject: str, text: str) -> str:
    body, _, footer = text.strip().partition("\n-- \n")
    light, dark = accents(settings.BRAND_COLOUR)
    blocks = list(_blocks(body))
    context = {
        "subject": subject,
        "brand_name": settings.BRAND_NAME,
        "site_url": settings.SITE_URL,
        "blocks": blocks,
        "has_code": any(each.kind == "code" for each in blocks),  # then the subject repeats it
        "footer": list(_lines(footer)),
        "light": light,
        "dark": dark,
    }
    page = render_to_string("onboarding/email/html_part.html", context)
    return re.sub(r"\n\s+", "\n", page)


def _blocks(body: str) -> Iterable[Block]:
    lines: list[str] = []
    for line in [*map(str.strip, body.strip().splitlines()), ""]:
        if not line and lines and not lines[-1].endswith(":"):
            yield from _text(lines)
            lines = []
        elif CODE.fullmatch(line):
            yield from _text(lines)
            yield Block("code", line)
            lines = []
        elif line.startswith(f"{settings.SITE_URL}/") and " " not in line:
            label = _label(lines.pop()) if lines and lines[-1].endswith(":") else line
            yield from _text(lines)
            yield Block("link", label, line)
            lines = []
        elif line:
            lines.append(line)
    yield from _text(lines)


def _lines(footer: str) -> Iterable[Block]:
    """The footer, line by line. An address is a link, with the words of the line above if they end in “:”."""
    label = ""
    for line in filter(None, map(str.strip, footer.splitlines())):
        if line.startswith(settings.SITE_URL):
            yield Block("link", _label(label) or line, line)
        elif label:
            yield Block("text", label)
        label = line if line.endswith(":") else ""
        if not label and not line.startswith(settings.SITE_URL):
            yield Block("text", line)


def _label(line: str) -> str:
    """Without the colon, and without the blank that French has before it."""
    return line.removesuffix(":").rstrip()


def _text(lines: Sequence[str]) -> Iterable[Block]:
    """A paragraph; lines that begin with “- ” are a list."""
    for is_list, run in groupby(lines, lambda line: line.startswith("- ")):
        kind = "list" if is_list else "text"
        yield Block(kind, "\n".join(line.removeprefix("- ") for line in run))


# -- sending ---------------------------------------------------------------------------------------

# Answers to RCPT that are about us: the order of our commands, or our sign-in.
ABOUT_US = {503, 530, 535, 538}
ABOUT_MAILBOX = {550, 551, 553}
ENHANCED = re.compile(r"5\.(\d{1,3})\.(\d{1,3})\b")


def deliver(message: EmailMessage) -> None:
    """Hand the mail over to the mail server now. Raises NotSent or AddressRefused."""
    try:
        message.send()
    except (OSError, ValueError) as error:  # SMTP, TLS, connections; what cannot be encoded
        answers = _answers(error)
        codes = ", ".join(str(code) for code, _ in answers) or "no answer"
        log.warning("a mail was not sent: %s (%s)", type(error).__name__, codes)
        raise _not_sent(error, answers, codes) from error


def _not_sent(error: Exception, answers: Sequence[tuple[int, str]], codes: str) -> NotSent:
    if not _refuses_recipient(error, answers):
        failed = NotSent(f"{type(error).__name__} ({codes})")
        if answers:
            failed.reason = f"The mail server did not take it ({codes})."
        return failed
    refused = AddressRefused(f"refused ({codes})")
    refused.reason = f"The mail server refuses this address ({codes})."
    refused.answer = shortened(" ".join(f"{code} {text}" for code, text in answers), LONGEST_ANSWER)
    # A policy, such as “relay access denied”: it may concern every mail that we send.
    refused.for_staff = any("5.7." in text for _, text in answers)
    return refused


def _answers(error: Exception) -> list[tuple[int, str]]:
    """What the mail server answered: (code, text) for each recipient, or one."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            return [(code, _decoded(text)) for code, text in error.recipients.values()]
        case smtplib.SMTPResponseException():
            return [(error.smtp_code, _decoded(error.smtp_error))]
    return []


def _decoded(text: bytes | str) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)


def _refuses_recipient(error: Exception, answers: Sequence[tuple[int, str]]) -> bool:
    """Whether every recipient is refused for good, and for a reason of its own.

    Some servers say so only after DATA; there, an answer may also be about the content or the sender.
    """
    match error:
        case smtplib.SMTPRecipientsRefused():
            permanent = [500 <= code < 600 and code not in ABOUT_US for code, _ in answers]
            return bool(permanent) and all(permanent)
        case smtplib.SMTPDataError():
            [(code, text)] = answers
            if found := ENHANCED.search(text):
                return found[1] in {"1", "2"} and found.group() not in {"5.1.7", "5.1.8"}
            return code in ABOUT_MAILBOX
    return False
