"""The cards of the catalogue: one for each shop system, with the ways to it; their order, and the search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from django.utils.translation import gettext

from onboarding.models import Connector
from onboarding.models.catalogue import offered
from onboarding.registry import vendor_name

from . import names

CLOSE_TO_BEST = 0.1  # a guess that is this much worse than the best one is left out


@dataclass(frozen=True)
class Card:
    """A shop system that is offered. `ways`: its connectors, the most used first."""

    ways: Sequence[Connector]

    @property
    def platform(self) -> str:
        """The slug of its page."""
        return self.ways[0].platform

    @property
    def name(self) -> str:
        """With one way its own name, which staff may have set; with several, that of the shop system."""
        first = self.ways[0]
        return str(first) if len(self.ways) == 1 else names.known_name(self._key) or str(first)

    @property
    def description(self) -> str:
        return self.ways[0].about if len(self.ways) == 1 else ""

    def labelled_ways(self) -> list[tuple[Connector, str]]:
        """Each way and what its link says, where there are several."""
        return [(way, self._label(way)) for way in self.ways]

    def _label(self, way: Connector) -> str:
        words = {"connector": str(way), "vendor": vendor_name(way.vendor)}
        if names.squeezed(str(way)) == names.squeezed(self.name):
            return gettext("Through %(vendor)s") % words
        return gettext("%(connector)s, through %(vendor)s") % words

    @property
    def order(self) -> tuple[int, int, str]:
        """Popular first: its position, then how many shops use it, then its name."""
        uses = sum(way.uses for way in self.ways)
        return min(way.position for way in self.ways), -uses, self.name.casefold()

    @cached_property
    def names(self) -> set[str]:
        """All that somebody may call it."""
        own = {self.name, self.platform, *map(str, self.ways)}
        return own | set(names.other_names(self.platform)) | set(names.other_names(self.name))

    @cached_property
    def _key(self) -> str:
        return names.key(self.platform)

    def has(self, category: str) -> bool:
        return any(way.category == category for way in self.ways)

    def has_slug(self, slug: str) -> bool:
        return any(way.platform == slug for way in self.ways)

    @cached_property
    def keys(self) -> frozenset[str]:
        """What it is called, as `names.key` writes it."""
        return frozenset(names.key(each) for each in (self.platform, *map(str, self.ways)))

    def is_called(self, name: str) -> bool:
        return names.key(name) in self.keys

    def matches(self, term: str) -> bool:
        """Whether each word of the term occurs somewhere, or the term is part of a name, however spelt."""
        fields = (f"{way.vendor_name} {way.about}" for way in self.ways)
        text = " ".join((*self.names, *fields)).casefold()
        if all(word in text for word in term.casefold().split()):
            return True
        letters = names.squeezed(term)
        return bool(letters) and any(letters in names.squeezed(each) for each in self.names)


@dataclass(frozen=True)
class Catalogue:
    """What merchants may choose. `any_shop`: the connector that takes every shop system, if there is one."""

    cards: Sequence[Card]
    any_shop: Connector | None = None

    @property
    def categories(self) -> list[str]:
        return sorted({way.category for card in self.cards for way in card.ways})

    def called(self, name: str) -> Card | None:
        """The shop system of exactly this name or slug, by any of its names."""
        return next((card for card in self.cards if card.is_called(name)), None)

    def ways_of(self, platform: str) -> list[Connector]:
        """The connectors of the page of this slug."""
        slug = platform.lower()
        ways = [way for card in self.cards for way in card.ways if card.has_slug(slug)]
        return [*ways, self.any_shop] if self.any_shop and self.any_shop.platform == slug else ways

    def search(self, term: str, category: str = "") -> Found:
        cards = [card for card in self.cards if not category or card.has(category)]
        if not term:
            return Found(cards)
        if hits := [card for card in cards if card.matches(term)]:
            return Found(sorted(hits, key=lambda card: not card.is_called(term)))
        return Found(_guesses(cards, term), is_guess=True)


@dataclass(frozen=True)
class Found:
    """What a search found. `is_guess`: nothing has this name; these have one that is much like it."""

    cards: list[Card] = field(default_factory=list)
    is_guess: bool = False


def _guesses(cards: Iterable[Card], term: str) -> list[Card]:
    scored = [(names.likeness(term, card.names), card) for card in cards]
    best = max((score for score, _ in scored), default=0.0)
    least = max(names.ALIKE, best - CLOSE_TO_BEST)
    near = [(score, card) for score, card in scored if score >= least]
    return [card for _, card in sorted(near, key=lambda pair: -pair[0])]


def load() -> Catalogue:
    """The catalogue as it is offered now; one query."""
    rows = sorted(offered(), key=lambda row: (row.position, -row.uses, str(row).casefold()))
    groups: dict[str, list[Connector]] = {}
    for row in rows:
        if not row.takes_any:
            groups.setdefault(names.key(row.platform), []).append(row)
    cards = sorted(map(Card, groups.values()), key=lambda card: card.order)
    return Catalogue(cards, next((row for row in rows if row.takes_any), None))
