"""Where itembase's servers stand, and which component id it gives to each shop system."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

# Reference: itembase API guides, "Base URLs"; the connect API guide names no sandbox for instances.
SERVERS: Mapping[str, Mapping[str, str]] = {
    "production": {
        "selfservice_url": "https://selfservice.itembase.com",
        "accounts_url": "https://accounts.itembase.com",
        "api_url": "https://api.itembase.com",
        "users_url": "https://users.itembase.com",
        "solution_url": "https://solutionservice.itembase.com",
    },
    "sandbox": {
        "selfservice_url": "https://sandbox.selfservice.itembase.io",
        "accounts_url": "https://sandbox.accounts.itembase.io",
        "users_url": "https://sandbox.users.itembase.io",
        "solution_url": "https://sandbox.solutionservice.itembase.io",
    },
}

# Reference: connect API guide, table of core connectors. The sandbox knows Magento alone.
COMPONENTS: Mapping[str, Mapping[str, int]] = {
    "production": {
        "ebay": 6, "shopify": 7, "seoshop": 20, "bigcommerce": 12, "magento": 11,
        "prestashop": 14, "gambio": 34, "woocommerce": 22, "virtuemart": 23,
    },
    "sandbox": {"magento": 30},
}  # fmt: skip

PLATFORMS: Mapping[str, str] = {
    "ebay": "eBay", "shopify": "Shopify", "seoshop": "SEO shop", "bigcommerce": "BigCommerce",
    "magento": "Magento", "prestashop": "PrestaShop", "gambio": "Gambio",
    "woocommerce": "WooCommerce", "virtuemart": "VirtueMart",
}  # fmt: skip


def platform(connector: str) -> str:
    """The shop system's name as people write it."""
    return PLATFORMS.get(connector) or connector.replace("-", " ").title()


def origin(url: str) -> tuple[str, int | None]:
    """Host and port, the scheme's own port when none is named; ("", None) when it is no URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return "", None
    return parts.hostname or "", port
