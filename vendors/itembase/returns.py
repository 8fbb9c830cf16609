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
            "You came back with a link for another shop, so nothing was changed."
            " Start again from here."
        )
        raise Refused(
            "the return carries another link's token",
            who="merchant",
            code="token-mismatch",
            note=note,
            heading=text("That link was for another shop"),
        )


def stopped(error: str) -> Step:
    """The merchant came back with `error`: they said no, or something failed at itembase."""
    if any(word in error.lower() for word in SAID_NO):
        return Declined()
    if error in OUR_ERRORS:
        raise authorization_error(error)
    if "expire" in error.lower():
        note = text("Links to itembase work only for a short time. Start again to get a new one.")
        heading = text("Your link has expired")
        raise Refused(
            "the link had expired", who="merchant", code="expired", note=note, heading=heading
        )
    note = text("itembase reported an error, so nothing was connected. Please try again.")
    heading = text("Not connected yet: itembase reported an error")
    raise Refused(
        "itembase returned an error", who="merchant", code="stopped", note=note, heading=heading
    )


def other_user() -> Refused:
    note = text(
        "Your other shops use the itembase account you used before. Sign out at itembase, then"
        " start again with that account. No longer have it? Write to"
        " us."
    )
    return Refused(
        "signed in as another itembase user",
        who="merchant",
        code="other-user",
        note=note,
        heading=text("You used a different itembase account"),
    )
