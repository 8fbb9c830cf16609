"""Summary of a shop in words: the next step, the evidence, and what a disconnection changed."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile
from typing import Literal, NotRequired, TypedDict

from django.utils.translation import gettext, ngettext

from onboarding import clock, moments
from onboarding.models import Connection
from onboarding.models.status import Answer, Status, Turn, shown
from onboarding.registry import vendor_name, vendor_of
from vendors.contract import Text

STOPPED = {Status.PAUSED, Status.DISCONNECTED}
DONE_SENTENCES = 3  # of a Done: here, there, and what is left to do


def hint(connection: Connection, *, sees_secrets: bool) -> str:
    """Why it stands where it stands, in one sentence. `sees_secrets`: whether the reader may save the key."""
    words = {"vendor": vendor_name(connection.vendor)}
    if connection.secret_waits and connection.is_set_up:
        if not sees_secrets:
            return gettext("The key and secret are ready. Ask an owner to save them.")
        return gettext("Your key and secret are ready.")
    if connection.waits_for_task:
        return connection.sentence
    match connection.status, connection.answer:
        case Status.REPORTED, _:
            said = gettext("Set up through %(vendor)s, not confirmed yet")
        case Status.CONNECTED, _ if is_doubted(connection):
            said = gettext("Connected through %(vendor)s. The last check got no answer.")
        case Status.CONNECTED, _:
            said = gettext("Connected through %(vendor)s")
        case Status.DISCONNECTED, _:
            said = gettext("It was connected through %(vendor)s")
        case Status.IN_PROGRESS, Answer.REDIRECT:
            said = gettext("You have not finished at %(vendor)s yet.")
        case _, Answer.PROGRESS:
            said = gettext("We are preparing the connection to %(vendor)s.")
        case _:
            return connection.sentence or gettext("Through %(vendor)s") % words
    return said % words


def next_act(vendor: str, turn: str, answer: str) -> str:
    """The name of the button that leads to an open attempt: what its page asks for."""
    if turn != Turn.MERCHANT:
        return gettext("See progress")
    labels = {
        Answer.REDIRECT: gettext("Continue at %(vendor)s"),
        Answer.GO_ON: gettext("Continue at %(vendor)s"),
        Answer.NEEDS_MERCHANT: gettext("Finish at %(vendor)s"),
        Answer.DECLINED: gettext("Start again at %(vendor)s"),
        Answer.START_OVER: gettext("Start again at %(vendor)s"),
        Answer.ASK: gettext("Answer the question"),
        Answer.WRONG_SHOP: gettext("Choose the shop"),
        Answer.REFUSED: gettext("Try again"),
    }
    known = {str(key): label for key, label in labels.items()}
    return known.get(answer, gettext("Continue")) % {"vendor": vendor_name(vendor)}


def is_doubted(connection: Connection) -> bool:
    """Whether it was connected, but the last check could not confirm it."""
    known = {Answer.CONNECTED, Answer.TASK}
    return connection.status == Status.CONNECTED and connection.answer not in known


class EvidenceRow(TypedDict):
    """A row of _connection.html: a label, and a time or a sentence. `more` is shown in brackets."""

    key: str
    value: datetime | str
    more: NotRequired[str]


def evidence(connection: Connection) -> list[EvidenceRow]:
    """What we know and how, in the order in which it happened."""
    words = {"vendor": vendor_name(connection.vendor)}
    confirmed = gettext("Confirmed by %(vendor)s") % words
    if connection.confirmed_by_id:
        confirmed = gettext("Confirmed by our staff")
    known: list[tuple[str, datetime | str | None]] = [
        (gettext("You came back"), connection.returned_at),
        (gettext("You marked the set-up as finished"), connection.merchant_finished_at),
        (confirmed, _confirmed(connection)),
        (gettext("Last checked"), connection.checked_at),
        (gettext("Not confirmed since"), connection.checked_at if is_doubted(connection) else None),
    ]
    rows: list[EvidenceRow] = [{"key": key, "value": value} for key, value in known if value]
    return [*rows, *_expiry(connection)]


def _expiry(connection: Connection) -> list[EvidenceRow]:
    """When it expires, and how many days are left until then."""
    if connection.expires_at is None or connection.status == Status.DISCONNECTED:
        return []
    remaining = connection.expires_at - clock.now()
    if remaining < timedelta(0):
        return [{"key": gettext("Ended"), "value": connection.expires_at}]
    days = remaining.days
    more = gettext("less than a day left")
    if days:
        more = ngettext("%(n)s day left", "%(n)s days left", days) % {"n": days}
    return [{"key": gettext("Ends on"), "value": connection.expires_at, "more": more}]


def _confirmed(connection: Connection) -> datetime | str | None:
    if connection.status == Status.REPORTED:
        return gettext("Not yet")
    return connection.confirmed_at


def changes(connection: Connection) -> list[str]:
    """For a paused or disconnected shop: what changed here and at the vendor, and what is left to do."""
    if connection.status not in STOPPED:
        return []
    newest = list(connection.events.exclude(status="").order_by("-at", "-pk")[:DONE_SENTENCES])
    last = [event for event in newest if event.attempt_id == newest[0].attempt_id]
    same = takewhile(lambda event: event.status == connection.status, last)
    return [shown(event.note, moments.in_full) for event in reversed(list(same))]


def at_vendor(connection: Connection, what: Literal["pause", "disconnect"]) -> tuple[Text, ...]:
    """What will happen at the vendor, before the press."""
    vendor = vendor_of(connection.vendor)
    others = connection.account.connections.exclude(pk=connection.pk)
    last = not others.exclude(status=Status.DISCONNECTED).exists()
    if vendor is None:
        return ()
    says = vendor.on_pause if what == "pause" else vendor.on_disconnect
    return says(last=last)
