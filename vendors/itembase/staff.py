"""What staff see of itembase: whether it accepts our credentials, and what only they can fix.

itembase documents no call with which staff could list or change anything, so there are no actions.
"""

from __future__ import annotations

from dataclasses import dataclass

from vendors.contract import Refused, text

from .offer import Offer


@dataclass(frozen=True)
class Staff(Offer):
    def probe(self) -> None:
        """Try the credentials at the accounts server, then ask for a link, which expires unopened."""
        client = self.client()
        client.check_credentials()
        for component in list(self.component_ids().values())[:1]:
            client.link_for_anyone(component)


def unknown_connector() -> Refused:
    """The connector is no longer in the table of components (ITEMBASE_COMPONENTS)."""
    note = text("itembase no longer offers this kind of shop.")
    return Refused("the connector has no component id", who="staff", code="connector", note=note)


def authorization_error(error: str) -> Refused:
    """itembase rejected our authorization request itself: client id, scope or return address."""
    return Refused(f"the merchant came back with {error}", who="staff", code=error)
