"""What the state of a licence means to a merchant: steps and refusals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from vendors.contract import (
    Ask,
    Connected,
    NeedsMerchant,
    Order,
    Question,
    Refused,
    Step,
    Text,
    text,
)

from .client import Licence

# integrator.io is not asked faster than every few minutes.
POLL_FIRST, POLL_EVERY = timedelta(minutes=5), timedelta(hours=1)


def which_email(order: Order, emails: Sequence[str]) -> Ask:
    note = text("We issue your licence to this address. You need it to sign in at integrator.io.")
    return Ask(note=note, questions=(_email_question(emails, order.user().email),))


def _email_question(emails: Sequence[str], initial: str) -> Question:
    return Question(
        key="email",
        label=text("Which email address do you use at integrator.io?"),
        choices=tuple((email, text("%(email)s", email=email)) for email in emails),
        addresses=True,
        initial=initial if initial in emails else "",
    )


def no_account(email: str, emails: Sequence[str], link: str) -> NeedsMerchant:
    """A normal state: the merchant signs up there, or names another address."""
    note = text(
        "integrator.io has no account for %(email)s yet. Create one with exactly this address, or"
        " choose another of yours. Then we continue automatically.",
        email=email,
    )
    questions = (_email_question(emails, email),)
    return NeedsMerchant(
        code="no-account",
        note=note,
        link=link,
        questions=questions,
        poll_first=POLL_FIRST,
        poll_every=POLL_EVERY,
    )


def state(licence: Licence, id: str, order: Order, link: str) -> Step:
    """`id` is the one that was asked for, because a reply may name another."""
    if licence.has_ended(order.now):
        return expired(licence.expires)
    if not licence.is_installed:
        return _install(licence, id, link)
    return Connected(
        shop_id=id, evidence=_evidence(licence), expires_at=licence.expires, connection_key=id,
        account_label=licence.email, done=("install",),
    )  # fmt: skip


def _evidence(licence: Licence) -> Text:
    if licence.expires is None:
        return text("integrator.io confirms that the app is installed.")
    return text(
        "integrator.io confirms that the app is installed. Its licence lasts until %(time)s.",
        time=licence.expires,
    )


def _install(licence: Licence, id: str, link: str) -> NeedsMerchant:
    note = text(
        "Your licence is ready. Sign in at integrator.io as %(email)s and install the app. Then"
        " we continue automatically.",
        email=licence.email,
    )
    if not licence.email:
        note = text(
            "Your licence is ready. Sign in at integrator.io and install the app. Then we"
            " continue automatically."
        )
    return NeedsMerchant(
        code="install",
        note=note,
        link=link,
        connection_key=id,
        poll_first=POLL_FIRST,
        poll_every=POLL_EVERY,
    )


def expired(ended: datetime | None) -> NeedsMerchant:
    if ended is None:
        note = text("Your licence has ended, and the app no longer runs. Write to us to renew it.")
    else:
        note = text(
            "Your licence ended %(time)s, and the app no longer runs. Write to us to renew it.",
            time=ended,
        )
    return NeedsMerchant(code="expired", note=note, poll_first=POLL_FIRST, poll_every=POLL_EVERY)


def gone() -> NeedsMerchant:
    note = text(
        "The licence for this shop no longer exists at integrator.io. Write to us for a new one."
    )
    return NeedsMerchant(code="licence-gone", note=note)


def no_email() -> Refused:
    note = text(
        "We issue your licence to a confirmed email address, and you have"
        " none yet. Confirm yours, then try again."
    )
    heading = text("Confirm your email address first")
    return Refused(
        "no member has a verified address",
        who="merchant",
        code="no-email",
        note=note,
        heading=heading,
    )


def not_verified() -> Refused:
    note = text(
        "Nobody in your team has confirmed the address you chose. Confirm it,"
        " or choose another one."
    )
    return Refused(
        "the chosen address is not verified",
        who="merchant",
        code="unverified",
        note=note,
        heading=text("Choose a confirmed email address"),
    )


def exists(email: str, rows: Sequence[Licence], holders: Sequence[str]) -> Refused:
    """There is a licence that this connection did not create: staff decide whether to use it."""
    listed = ", ".join(f"{row.id} ({holder})" for row, holder in zip(rows, holders, strict=True))
    note = text(
        "integrator.io already has a licence for %(email)s. Our staff are checking"
        " whether it is for this shop.",
        email=email,
    )
    detail = f"licences of this connector for {masked(email)} exist already: {listed}"
    return Refused(detail, who="staff", code="licence-exists", cause="licence-exists", note=note)


def held_elsewhere() -> Refused:
    note = text(
        "The licence for this shop is now used for another shop. Write to us for a new one."
    )
    heading = text("Your shop needs a new licence")
    return Refused(
        "the licence has another holder", who="merchant", code="held", note=note, heading=heading
    )


def masked(email: str) -> str:
    """For staff and the log: enough to recognise one of a merchant's few addresses."""
    name, _, domain = email.partition("@")
    return f"{name[:2]}…@{domain}"
