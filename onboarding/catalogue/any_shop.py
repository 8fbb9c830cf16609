"""The connector that takes every shop system: which one the merchant uses is asked, and names the shop."""

from __future__ import annotations

from django.utils.translation import gettext

from onboarding.models import Connector
from vendors.contract import Question, text
from vendors.contract.characters import one_line

LONGEST = 100  # characters of a name
# Not required: the vendor's pages ask it too. The answer tells the merchant's shops apart, and helps staff.
QUESTION = Question(key="system", label=text("Which shop system do you use?"), required=False)


def questions(connector: Connector) -> tuple[Question, ...]:
    """What we ask ourselves, beside the vendor's own questions."""
    return (QUESTION,) if connector.takes_any else ()


def typed(name: str) -> str:
    """A name of a shop system as somebody typed it, in one line and of bounded length."""
    return one_line(name)[:LONGEST].strip()


def shop_name(connector: Connector, system: str = "") -> str:
    """What a new shop is called at first. What stands for anything else is no name."""
    if not connector.takes_any:
        return str(connector)
    return system or gettext("My shop")
