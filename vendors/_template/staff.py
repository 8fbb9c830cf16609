"""What staff see and do at the vendor: the probe, the inventory, and unsure creations."""

from __future__ import annotations

from dataclasses import dataclass

from vendors.contract import Item, Order, Progress, Step, text
from vendors.contract.errors import wrong_answer

from .memo import created
from .offer import SHOP, Offer


@dataclass(frozen=True)
class Staff(Offer):
    def probe(self) -> None:
        """Ask for a reference that nobody has."""
        self.client().shops("none")

    def inventory(self) -> tuple[Item, ...]:
        return tuple(
            Item(id=shop.id, label=shop.reference, reference=shop.reference)
            for shop in self.client().shops()
        )

    def resolve(self, order: Order, found: str | None) -> Step:
        """If staff found nothing, the flow looks once more before it creates another shop."""
        if found is None:
            return Progress()
        shop = self.client().shop(found)
        if shop is None or shop.reference != order.reference:
            raise wrong_answer("found", text("No shop at Template has this id and this reference."))
        return Progress(connection=created(shop.id), connection_key=shop.id, done=(SHOP,))
