"""Errors: what a vendor's call raises, one of Unavailable, Refused, Unsure and Garbled."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from .order import Memo, Text, Who


class Why(StrEnum):
    """What became of a call that got no usable answer; the merchant reads a sentence for each."""

    UNKNOWN = ""
    UNREACHABLE = "unreachable"  # no connection, so nothing was sent
    BROKEN_OFF = "broken-off"  # the connection was lost before the answer
    TIMED_OUT = "timed-out"
    FAULT = "fault"  # 408, 5xx
    ASKED_TO_WAIT = "asked-to-wait"  # 429, Retry-After
    UNREADABLE = "unreadable"


class VendorError(Exception):
    """Base class. `note` is for the merchant, `detail` for staff and logs.

    Neither contains a secret, the query of a URL or text of a reply. `cause` groups errors of one kind
    ("credentials", "tenant", …): staff get one mail for each vendor and cause. Without a `note`, the
    merchant reads a sentence that says `why`.
    """

    cause = "error"

    def __init__(
        self,
        detail: str = "",
        *,
        note: Text | None = None,
        cause: str = "",
        why: Why = Why.UNKNOWN,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.note = note
        self.cause = cause or type(self).cause
        self.why = why


class Unavailable(VendorError):
    """Nothing happened, or nothing that matters; the call is retried with backoff.

    `retry_after` is in seconds, None if the vendor named no time. `asked_until`: the vendor asked us to
    wait until then, for the sentence. `lost`: the request was sent, and no answer came, so it may have
    been carried out. `connection` is a new draft of the connection's memo, for a flow
    that has to know at the retry what happened here; None leaves the draft as it is.
    """

    cause = "unavailable"

    def __init__(
        self,
        detail: str = "",
        *,
        note: Text | None = None,
        retry_after: float | None = None,
        why: Why = Why.UNKNOWN,
        asked_until: datetime | None = None,
        lost: bool = False,
    ) -> None:
        super().__init__(detail, note=note, why=why)
        self.retry_after = retry_after
        self.asked_until = asked_until
        self.lost = lost
        self.connection: Memo | None = None


class Refused(VendorError):
    """The vendor said no, or we did. `who` must change something: the merchant or staff.

    `heading` is for the merchant, above `note`: who refused what. Without one, it says that the vendor
    did not accept this.

    `status` is the HTTP status and `code` the vendor's error code, 0 and "" if there is none. `reply` is
    the parsed body of a documented refusal (`Api.send(refused=…)`), or None. It is for the flow alone:
    neither the text nor the repr of this error shows it.
    """

    cause = "refused"

    def __init__(
        self,
        detail: str = "",
        *,
        who: Who,
        note: Text | None = None,
        heading: Text | None = None,
        status: int = 0,
        code: str = "",
        reply: object = None,
        cause: str = "",
    ) -> None:
        super().__init__(detail, note=note, cause=cause or f"refused-{code or status or who}")
        self.who = who
        self.heading = heading
        self.status = status
        self.code = code
        self.reply = reply


class Unsure(VendorError):
    """A creation got no clear reply: it may have happened. Only `resolve` or a search may go on.

    `creation` is its key, "" for the one that was announced. A flow names it when the vendor does not
    know the id that staff entered for it (`order.found`): then staff are asked once more.
    """

    cause = "unsure"

    def __init__(
        self,
        detail: str = "",
        *,
        note: Text | None = None,
        cause: str = "",
        why: Why = Why.UNKNOWN,
        creation: str = "",
    ) -> None:
        super().__init__(detail, note=note, cause=cause, why=why)
        self.creation = creation


class Garbled(VendorError):
    """A reply that the documentation does not allow, or a call that the flow cannot make: staff are told."""

    cause = "garbled"


def wrong_answer(key: str, note: Text) -> Refused:
    """The error for a wrong answer of staff to the question `key`; nothing was sent to the vendor.

    The page shows `note` at that question, or above the form if it has no such question.
    """
    return Refused(f"the answer to “{key}” was not accepted", who="staff", code=key, note=note)


# The four errors that a call may raise. Nothing raises VendorError itself.
CallError = Unavailable | Refused | Unsure | Garbled
