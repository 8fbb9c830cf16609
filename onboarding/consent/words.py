"""The words of a consent: five short parts, what opens, and the links to terms and privacy.

Each part has lines that are shown and lines that unfold. Staff may reword each part by connector: their
first line is shown, the others unfold, in every language alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext, ngettext

from onboarding.models import Agreement, Connector
from onboarding.models.status import dumped, shown
from vendors.contract import Text, Vendor

from .signing import Json, canonical

# The parts in their order; the keys of `Connector.consent` too.
PARTS = ("reads", "shared", "purpose", "duration", "audience")
LONGEST = 600  # characters of a part in staff's words
LONGEST_LINE = 160  # characters of its first line
LONGEST_VERSION = 16


@dataclass(frozen=True)
class Part:
    """One part: its title, the lines that are shown, and those that unfold."""

    key: str
    title: str
    lines: list[str]
    more: list[str]


@dataclass(frozen=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True)
class Words:
    """A consent in the reader's language. `opens`: with the place of the domain as `%(domain)s`."""

    vendor: str
    connector: str
    summary: str
    parts: list[Part]
    opens: str
    domain: str
    agreement: str
    links: list[Link]

    @property
    def opens_marked(self) -> SafeString:
        """What opens, with the domain set off: it is what the merchant compares with the address bar."""
        before, _, after = self.opens.partition("%(domain)s")
        if not self.domain:
            return format_html("{}", self.opens)
        mark = '{}<strong class="domain">{}</strong>{}'
        return format_html(mark, before, self.domain, after)

    def as_json(self) -> Json:
        """What is kept of it: all that was shown."""
        return {
            "summary": self.summary,
            "parts": [asdict(part) for part in self.parts],
            "opens": self.opens.replace("%(domain)s", self.domain),
            "agreement": self.agreement,
            "links": [asdict(link) for link in self.links],
        }

    @property
    def version(self) -> str:
        """A digest of the words: alike for what reads alike."""
        return hashlib.sha256(canonical(self.as_json())).hexdigest()[:LONGEST_VERSION]

    def agreed(self, seen: str | None, connector: Connector) -> Agreement | None:
        """What was agreed to by somebody whose page showed the version `seen`; None if that has changed.

        A form without a version was sent by a program: it agrees to what the page says now.
        """
        if seen is not None and seen != self.version:
            return None
        vendor = {"slug": connector.vendor, "name": self.vendor}
        names = {"vendor": vendor, "connector": {"slug": connector.slug, "name": self.connector}}
        return Agreement(self.as_json(), self.version, get_language() or "en", names)


def consent_of(connector: Connector, vendor: Vendor) -> Words:
    """What a merchant agrees to who connects a shop through this connector."""
    return Words(
        vendor=vendor.name,
        connector=str(connector),
        summary=_said(vendor.summary),
        parts=[_part(key, connector, vendor) for key in PARTS],
        opens=_opens(vendor),
        domain=domain(vendor),
        agreement=gettext("By continuing you agree to this. You get a receipt."),
        links=[Link(label, url) for label, url in settings.LEGAL_LINKS],
    )


def _part(key: str, connector: Connector, vendor: Vendor) -> Part:
    title = _titles(vendor)[key]
    if own := own_words(connector, key):
        return Part(key, title, own[:1], own[1:])
    lines, more = _defaults(vendor)[key]
    return Part(key, title, lines, more)


def own_words(connector: Connector, key: str) -> list[str]:
    """What staff wrote for this part, line by line; empty where the default holds."""
    written = connector.consent.get(key, "") if isinstance(connector.consent, dict) else ""
    return [line for line in str(written).splitlines() if line.strip()]


def _titles(vendor: Vendor) -> dict[str, str]:
    return {
        "reads": gettext("What we read"),
        "shared": gettext("What %(vendor)s gets") % {"vendor": vendor.name},
        "purpose": gettext("Why"),
        "duration": gettext("How long"),
        "audience": gettext("Who can see it"),
    }


def _defaults(vendor: Vendor) -> dict[str, tuple[list[str], list[str]]]:
    """Part → (lines that are shown, lines that unfold)."""
    reads, purpose = _said_all(vendor.reads), _said_all(vendor.purpose)
    days = settings.RETENTION_DAYS
    kept = ngettext(
        "The record of what happened to a connection is deleted after %(days)s day.",
        "The record of what happened to a connection is deleted after %(days)s days.",
        days,
    )
    name = {"vendor": vendor.name}
    return {
        "reads": (reads[:1], reads[1:]),
        "shared": ([capfirst(each) for each in _said_all(vendor.shared_data)], []),
        "purpose": (purpose[:1], purpose[1:]),
        "duration": (
            [gettext("Until you disconnect, which you can do here at any time.")],
            [
                gettext("While the shop is connected, we check the connection regularly."),
                kept % {"days": days},
            ],
        ),
        "audience": (
            [gettext("Your team, our staff and %(vendor)s.") % name],
            [
                gettext("Your team are the members of your business on this site."),
                gettext(
                    "Keys and secrets are stored encrypted. Only owners, and members whom an owner"
                    " allows, can see those that are made for you."
                ),
            ],
        ),
    }


def _opens(vendor: Vendor) -> str:
    words = {"vendor": vendor.name, "domain": "%(domain)s"}
    if not domain(vendor):
        return _said(vendor.next_step)
    if vendor.opens == "new-tab":
        sentence = gettext(
            "%(vendor)s opens in a new tab, and this page stays open. The address bar there shows"
            " %(domain)s."
        )
    else:
        sentence = gettext(
            "%(vendor)s opens in this tab: your browser’s address bar shows %(domain)s."
        )
    return sentence % words


def domain(vendor: Vendor) -> str:
    """The vendor's domain, as the address bar will show it; "" where the merchant stays on this site."""
    hosts = vendor.domains() if vendor.opens != "nothing" else ()
    return next((host.lstrip(".") for host in hosts), "")


def _said(words: Text) -> str:
    return shown(dumped(words))


def _said_all(words: Iterable[Text]) -> list[str]:
    return [_said(each) for each in words]
