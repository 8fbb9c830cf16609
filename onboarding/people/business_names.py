"""A name to suggest for a new business, from the email address of whoever begins it."""

from __future__ import annotations

import re

# The first labels of domains under which everybody has an address: they say nothing about a business.
_PROVIDERS = """
    163 126 aliyun aol arcor bigpond bluewin btinternet duck email fastmail foxmail free freenet gmail gmx
    googlemail hey hotmail icloud inbox interia laposte libero live mac mail mailbox me msn naver o2 online
    onet orange outlook pm posteo proton protonmail qq rambler rediffmail rocketmail seznam sfr t-online
    tiscali tuta tutanota virgilio vodafone wanadoo web wp yahoo yandex ymail zoho
"""
MAIL_PROVIDERS = frozenset(_PROVIDERS.split())
# Labels before that of a country, such as “co” in example.co.uk.
SHARED = frozenset(("ac", "co", "com", "edu", "gov", "ltd", "ne", "net", "or", "org", "plc"))


def suggested_name(email: str) -> str:
    """The domain in words, as “Team Shop” of anna@team-shop.de; at a mail provider the part before the @."""
    name, _, domain = email.rpartition("@")
    owner = _owner(domain)
    return _in_words(name.partition("+")[0] if not owner or owner in MAIL_PROVIDERS else owner)


def _owner(domain: str) -> str:
    """The label that somebody registered; "" for a host without a domain."""
    labels = domain.lower().split(".")[:-1]
    if len(labels) > 1 and labels[-1] in SHARED:
        labels.pop()
    return labels[-1] if labels else ""


def _in_words(label: str) -> str:
    words = re.split(r"[\W_]+", label)
    return " ".join(word[:1].upper() + word[1:] for word in words if word)
