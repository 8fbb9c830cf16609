"""Switches: settings of a sandbox for behaviour that the vendor's documentation leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from .http import Refused
from .state import Store

KIND = "switches"
FIELD = Markup('<label>{label} <select name="{name}">{options}</select></label>')
OPTION = Markup('<option value="{value}"{chosen}>{text}</option>')


@dataclass(frozen=True)
class Switch:
    """One setting. `options` maps its values to labels; the first value is the default."""

    name: str
    label: str
    options: Mapping[str, str]

    def value(self, store: Store) -> str:
        row = store.get(KIND, self.name)
        return str(row["value"]) if row else next(iter(self.options))

    def set(self, store: Store, value: str) -> None:
        """Raises Refused (400) for a value that is not among the options."""
        if value not in self.options:
            raise Refused(400, f"{self.name} is one of {', '.join(self.options)}.")
        if store.get(KIND, self.name) is None:
            store.add(KIND, self.name, value=value)
        else:
            store.change(KIND, self.name, value=value)

    def take(self, store: Store) -> str:
        """The value. One that ends in "once" works once: the switch goes back to its default."""
        value = self.value(store)
        if value.endswith("once"):
            self.set(store, next(iter(self.options)))
        return value

    def field(self, store: Store) -> Markup:
        now = self.value(store)
        chosen = {True: Markup(" selected"), False: Markup("")}
        options = [
            OPTION.format(value=value, text=text, chosen=chosen[value == now])
            for value, text in self.options.items()
        ]
        return FIELD.format(label=self.label, name=self.name, options=Markup().join(options))


def fields(switches: tuple[Switch, ...], store: Store) -> Markup:
    """The switches as fields of a form."""
    return Markup().join([switch.field(store) for switch in switches])


def save(switches: tuple[Switch, ...], store: Store, form: Mapping[str, str]) -> None:
    """Set the switches that `form` names."""
    for switch in switches:
        if switch.name in form:
            switch.set(store, form[switch.name])
