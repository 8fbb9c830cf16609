"""One call to a vendor: the remembered call with the rows and the order made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from onboarding.models import Account, Attempt, Connection
from vendors.contract import Order, Vendor

from .leases import Lease


@dataclass
class VendorCall:
    """One call to a vendor: the rows as they were when it was prepared, and the order made of them.

    `attempt` is None for a check. `number` is the attempt's call number then; `before` how it stood
    when its carrying began, and since when.
    """

    lease: Lease
    vendor: Vendor
    connection: Connection
    attempt: Attempt | None
    order: Order
    call: str
    argument: Any = None
    number: int = 0
    before: tuple[str, datetime | None] = ("", None)
    account: Account = field(init=False)

    def __post_init__(self) -> None:
        self.account = self.connection.account
