"""Errors: what a vendor's call raises, one of Unavailable, Refused, Unsure and Garbled."""

from __future__ import annotations

from .order import Memo, Text, Who


class VendorError(Exception):
    """Base class. `note` is for the merchant, `detail` for staff and logs.

    Neither contains a secret, the query of a URL or text of a reply. `cause` groups errors of one kind
    ("credentials", "tenant", …): staff get one mail for each vendor and cause.
    """

    cause = "error"

    def __init__(self, detail: str = "", *, note: Text | None = None, cause: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.note = note
        self.cause = cause or type(self).cause


class Unavailable(VendorError):
    """Nothing happened, or nothing that matters; the call is retried with backoff.

    `retry_after` is in seconds, None if the vendor named no time. `lost`: the request was sent, and no
    answer came, so it may have been carried out. `connection` is a new draft of the connection's memo,
    for a flow that has to know at the retry what happened here; None leaves the draft as it is.
    """

    cause = "unavailable"

    def __init__(
        self,
        detail: str = "",
        *,
        note: Text | None = None,
        retry_after: float | None = None,
        lost: bool = False,
    ) -> None:
        super().__init__(detail, note=note)
        self.retry_after = retry_after
        self.lost = lost
        self.connection: Memo | None = None


class Refused(VendorError):
    """The vendor said no. `who` must change something: the merchant or staff.

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
        status: int = 0,
        code: str = "",
        reply: object = None,
        cause: str = "",
    ) -> None:
        super().__init__(detail, note=note, cause=cause or f"refused-{code or status or who}")
        self.who = who
        self.status = status
        self.code = code
        self.reply = reply


class Unsure(VendorError):
    """A creation got no clear reply: it may have happened. Only `resolve` or a search may go on."""

    cause = "unsure"


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
