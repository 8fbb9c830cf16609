"""What a merchant brings back from itembase's pages: the link's token, an error, another user."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from vendors.contract import Declined, Refused, Step, text

from .staff import authorization_error

# RFC 6749, section 4.1.2.1: errors of the request that we sent, not of the merchant's decision.
OUR_ERRORS = {
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_response_type",
}
SAID_NO = "denied", "cancel", "declin", "abort"


def compare(params: Mapping[str, str], token: str) -> None:
    """Raise Refused for another attempt's token. A return proves nothing, so none at all is fine."""
    given = params.get("ibsstoken") or params.get("token") or token
    if not hmac.compare_digest(given.encode(), token.encode()):
        note = text(
            "itembase sent back something that does not belong to this attempt. Nothing was"
            " changed. Start again."
        )
        raise Refused(
            "the return carries another link's token",
            who="merchant",
            code="token-mismatch",
            note=note,
        )


def stopped(error: str) -> Step:
    """The merchant came back with `error`: they said no, or something failed at itembase."""
    if any(word in error.lower() for word in SAID_NO):
        return Declined(note=text("You stopped at itembase. Nothing was connected."))
    if error in OUR_ERRORS:
        raise authorization_error(error)
    if "expire" in error.lower():
        note = text("The link to itembase was no longer valid. Start again to get a new one.")
        raise Refused("the link had expired", who="merchant", code="expired", note=note)
    note = text("itembase could not finish this. Nothing was connected. Start again.")
    raise Refused("itembase returned an error", who="merchant", code="stopped", note=note)


def other_user() -> Refused:
    note = text(
        "You signed in at itembase as another user than before. Nothing was changed here. Sign"
        " out there, then start again and sign in as the user who connected your other shops. If"
        " that user is gone, ask us."
    )
    return Refused(
        "signed in as another itembase user", who="merchant", code="other-user", note=note
    )
