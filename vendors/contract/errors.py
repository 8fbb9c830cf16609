"""What a vendor's call raises: one of four errors. Part of the contract (contract.py)."""

from __future__ import annotations

from .order import Text, Who


class VendorError(Exception):
    """`note` is for the merchant, `detail` for staff: neither holds a secret, a URL's query or raw text.

    `cause` groups alike errors ("credentials", "tenant", …): staff get one mail for each vendor and cause.
    """

    cause = "error"

    def __init__(self, detail: str = "", *, note: Text | None = None, cause: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.note = note
        self.cause = cause or type(self).cause


class Unavailable(VendorError):
    """Nothing happened, or nothing that matters. `retry_after` is in seconds, when the vendor said so."""

    cause = "unavailable"

    def __init__(
        self, detail: str = "", *, note: Text | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(detail, note=note)
        self.retry_after = retry_after


class Refused(VendorError):
    """The vendor said no. `who` must change something: the merchant, or staff (operator's credentials).

    `reply` is the parsed body of a refusal that the call documents (`Api.send(refused=…)`), or None.
    It is for the flow alone: neither the text nor the repr of this error shows it.
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
    cause = "unsure"


class Garbled(VendorError):
    cause = "garbled"


def wrong_answer(key: str, note: Text) -> Refused:
    """The error for a wrong answer of staff to the question `key`; nothing was sent to the vendor.

    The page shows `note` at that question, or above the form if it has no such question.
    """
    return Refused(f"the answer to “{key}” was not accepted", who="staff", code=key, note=note)


# The four that a call may raise: nothing raises VendorError itself.
CallError = Unavailable | Refused | Unsure | Garbled
