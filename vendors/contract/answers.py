"""Refusals of what a person typed or chose. Part of the contract."""

from __future__ import annotations

from .errors import Refused
from .order import Text


def wrong_answer(key: str, note: Text) -> Refused:
    """Staff answered the question `key` wrongly, and nothing was sent to the vendor.

    The page shows `note` at that question, or above the form if it has no such question.
    """
    return Refused(f"the answer to “{key}” was not accepted", who="staff", code=key, note=note)
