"""What staff see and do at integrator.io: the probe, unsure licences, the inventory, and actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vendors.contract import (
    Action,
    CauseNote,
    Done,
    Garbled,
    Item,
    Order,
    Progress,
    Refused,
    Rows,
    Step,
    text,
)

from . import connector_actions, licence_actions
from .client import Connector, Licence, format_time
from .licence_actions import edition
from .memo import LicenceMemo
from .offer import LICENCE
from .provisioning import LICENCE_ID, Provisioning, could_be_ours, created


@dataclass(frozen=True)
class Staff(Provisioning):
    cause_notes: ClassVar[Mapping[str, CauseNote]] = {
        "licence-exists": CauseNote(
            what=text("integrator.io already has a licence for a merchant’s email address."),
            to_do=text(
                "Check in integrator.io whose it is. To use it, choose “Use an existing licence”"
                " on the shop’s page."
            ),
        ),
    }

    def probe(self) -> None:
        self.client().connectors()

    def inventory(self) -> tuple[Item, ...]:
        """Every licence of every connector, also of those that are not published."""
        api = self.client()
        return tuple(
            _item(connector, licence)
            for connector in api.connectors()
            for licence in api.licences(connector.id)
        )

    def actions(self) -> tuple[Action, ...]:
        return (*licence_actions.ACTIONS, *connector_actions.ACTIONS)

    def act(self, order: Order, key: str, answers: Mapping[str, str]) -> Step:
        return licence_actions.act(self.client(), order, key, answers)

    def run(
        self,
        key: str,
        answers: Mapping[str, str],
        *,
        connector: str = "",
        ids: tuple[str, ...] = (),
    ) -> Done | Rows:
        return connector_actions.run(self.client(), key, answers, connector=connector, ids=ids)

    def resolve(self, order: Order, found: str | None) -> Step:
        if order.unsure != LICENCE:
            raise Garbled(f"celigo creates nothing called “{order.unsure}”")
        if found is None:
            return Progress()
        licence = self._licence(order, found) if LICENCE_ID.fullmatch(found) else None
        if licence is None:
            note = text("integrator.io does not know this id as a licence of this connector.")
            raise Refused("no such licence", who="staff", note=note, code="found")
        if not could_be_ours(order, licence, found):
            note = text("This is not a licence that we could have created. Please check again.")
            raise Refused("not plausible as our licence", who="staff", note=note, code="found")
        return created(order, licence, found, LicenceMemo(order).announced_email)


def _item(connector: Connector, licence: Licence) -> Item:
    facts = {
        "connector": connector.name or connector.id,
        "email": licence.email,
        "ends": format_time(licence.expires) if licence.expires else "",
        "installed as": licence.integration_id or "",
        "edition": edition(licence),
    }
    label = f"{connector.name or connector.id}: {licence.email}"
    return Item(id=licence.id, label=label, facts=facts)
