"""Names of shop systems: other names that people know them by, and what was meant by a typing error."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher

# The slug of a shop system → its name, then the other names that people type. The one table of aliases.
NAMES: Mapping[str, tuple[str, ...]] = {
    "3dcart": ("Shift4Shop", "3dcart"),
    "abicart": ("Abicart", "Textalk Webshop"),
    "amazon": ("Amazon", "Amazon Marketplace", "Amazon Seller Central"),
    "aliexpress": ("AliExpress", "Ali Express"),
    "bigcartel": ("Big Cartel",),
    "bigcommerce": ("BigCommerce",),
    "bol": ("bol", "bol.com"),
    "ccv": ("CCV Shop", "CCVShop"),
    "commercetools": ("commercetools",),
    "demandware": ("Salesforce Commerce Cloud", "Demandware", "SFCC"),
    "ebay": ("eBay", "eBay Marketplace"),
    "ecwid": ("Ecwid", "Lightspeed E-Series"),
    "epages": ("ePages",),
    "etsy": ("Etsy",),
    "gambio": ("Gambio",),
    "hybris": ("SAP Commerce Cloud", "Hybris", "SAP Hybris"),
    "jtl": ("JTL-Shop", "JTL Wawi"),
    "kaufland": ("Kaufland", "Kaufland Marketplace", "real.de"),
    "lightspeed": ("Lightspeed", "SEOshop", "SEO shop", "Lightspeed eCom", "Lightspeed C-Series"),
    "magento": ("Magento", "Adobe Commerce", "Magento Commerce", "Magento Open Source"),
    "myonlinestore": ("MyOnlineStore", "Mijnwebwinkel"),
    "neto": ("Maropost Commerce Cloud", "Neto"),
    "netsuite": ("NetSuite", "Oracle NetSuite", "SuiteCommerce"),
    "nopcommerce": ("nopCommerce",),
    "odoo": ("Odoo", "OpenERP"),
    "opencart": ("OpenCart",),
    "oxid": ("OXID eShop",),
    "plentymarkets": ("plentymarkets", "PlentyONE", "plentysystems"),
    "prestashop": ("PrestaShop", "Presta"),
    "salesforce": ("Salesforce",),
    "shopify": ("Shopify", "Shopify Plus"),
    "shopware": ("Shopware",),
    "square": ("Square Online", "Square", "Weebly"),
    "squarespace": ("Squarespace",),
    "virtuemart": ("VirtueMart", "Joomla", "Joomla VirtueMart"),
    "walmart": ("Walmart", "Walmart Marketplace"),
    "wayfair": ("Wayfair",),
    "wix": ("Wix", "Wix Stores"),
    "woocommerce": ("WooCommerce", "Woo", "Woo Shop", "WordPress"),
    "xtcommerce": ("xt:Commerce", "Veyton"),
}
ALIKE = 0.75  # how much of a name has to be right
SHORTEST_GUESS = 3  # letters; less than that may be any name
VERSION = re.compile(r"\d+$")
LONGEST = 100  # characters of a key


def squeezed(name: str) -> str:
    """A name without what people spell differently: case, blanks, hyphens, accents."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    return "".join(char for char in plain if char.isalnum())


_SLUGS = {
    squeezed(each): slug for slug, names in NAMES.items() for each in (slug, *names)
}  # every spelling → the slug


def key(name: str) -> str:
    """What a name is compared by: the slug of a shop system that is known by it, else its letters and digits.

    A version makes no difference where the name is known: "Magento 2".
    """
    letters = squeezed(name)
    found = _SLUGS.get(letters) or _SLUGS.get(VERSION.sub("", letters)) or letters
    return found[:LONGEST]


def known_name(slug: str) -> str:
    """The name of a shop system as people write it; "" if the table does not have it."""
    return NAMES[slug][0] if slug in NAMES else ""


def other_names(name: str) -> tuple[str, ...]:
    """All that a shop system of this slug or name is also known as."""
    return NAMES.get(key(name), ())


def likeness(typed: str, names: Iterable[str]) -> float:
    """How well a typed word fits the best of these names, from 0 to 1; also while it is still being typed."""
    typed = squeezed(typed)
    if len(typed) < SHORTEST_GUESS:
        return 0.0
    spellings = {squeezed(name) for name in names} - {""}
    beginnings = {name[: len(typed) + 1] for name in spellings if len(name) > len(typed) + 1}
    return max((_ratio(typed, each) for each in spellings | beginnings), default=0.0)


def _ratio(typed: str, name: str) -> float:
    matcher = SequenceMatcher(None, typed, name, autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() >= ALIKE else 0.0
