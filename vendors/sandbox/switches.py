"""Switches of a sandbox: what a vendor's docs leave open, to be played one way or the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .http import Html, Refused, join, markup
from .state import Store

KIND = "switches"
FIELD = '<label>{label} <select name="{name}">{options}</select></label>'
OPTION = '<option value="{value}"{chosen}>{text}</option>'


@dataclass(frozen=True)
class Switch:
    """One thing that can be set; `options` maps values to words, the first is how it begins."""

    name: str
    label: str
    options: Mapping[str, str]

    def value(self, store: Store) -> str:
        row = store.get(KIND, self.name)
        return str(row["value"]) if row else next(iter(self.options))

    def set(self, store: Store, value: str) -> None:
        """Raises Refused for a value that is none of the options."""
        if value not in self.options:
            raise Refused(400, f"{self.name} is one of {', '.join(self.options)}.")
        if store.get(KIND, self.name) is None:
            store.add(KIND, self.name, value=value)
        else:
            store.change(KIND, self.name, value=value)

    def take(self, store: Store) -> str:
        """The value; one that ends in "once" is spent by this and goes back to the first."""
        value = self.value(store)
        if value.endswith("once"):
            self.set(store, next(iter(self.options)))
        return value

    def field(self, store: Store) -> Html:
        now = self.value(store)
        chosen = {True: Html(" selected"), False: Html("")}
        options = [
            markup(OPTION, value=value, text=text, chosen=chosen[value == now])
            for value, text in self.options.items()
        ]
        return markup(FIELD, label=self.label, name=self.name, options=join(options))


def fields(switches: tuple[Switch, ...], store: Store) -> Html:
    """The switches as fields of a form."""
    return join([switch.field(store) for switch in switches])


def turn(switches: tuple[Switch, ...], store: Store, form: Mapping[str, str]) -> None:
    """Set those that `form` names."""
    for switch in switches:
        if switch.name in form:
            switch.set(store, form[switch.name])
