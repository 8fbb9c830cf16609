"""What a merchant may bring back from itembase's pages, and the refusals that follow from it."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from vendors.contract import Declined, Refused, Step, text

OURS = {"invalid_request", "invalid_scope", "unauthorized_client", "unsupported_response_type"}
NO = "denied", "cancel", "declin", "abort"


def compare(params: Mapping[str, str], token: str) -> None:
    """A return proves nothing, so none at all is fine; another attempt's token is not."""
    given = params.get("ibsstoken") or params.get("token") or token
    if not hmac.compare_digest(given.encode(), token.encode()):
        note = text(
            "itembase sent back something that does not belong to this attempt. Nothing was"
            " changed. Start again."
        )
        raise Refused("another token came back", who="merchant", code="token-mismatch", note=note)


def stopped(error: str) -> Step:
    """The merchant came back with `error`: they said no, or something did not work there."""
    if any(word in error.lower() for word in NO):
        return Declined(note=text("You stopped at itembase. Nothing was connected."))
    if error in OURS:
        raise Refused(f"came back with {error}", who="staff", code=error)
    if "expire" in error.lower():
        note = text("The link to itembase was no longer valid. Start again to get a new one.")
        raise Refused("came back too late", who="merchant", code="expired", note=note)
    note = text("itembase could not finish this. Nothing was connected. Start again.")
    raise Refused("came back with an error", who="merchant", code="stopped", note=note)


def other_user() -> Refused:
    note = text(
        "You signed in at itembase as another user than before. Nothing was changed here. Sign"
        " out there, then start again and sign in as the user who connected your other shops. If"
        " that user is gone, ask us."
    )
    return Refused("another itembase user", who="merchant", code="other-user", note=note)
