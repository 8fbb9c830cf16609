"""How a vendor names what is wrong with its settings. Part of the contract."""

from __future__ import annotations

from collections.abc import Mapping


def named_problems(slug: str, problems: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """`problems`: field → what to do, "" for a field that is right. The answer of `Vendor.problems`."""
    return tuple(
        (f"{slug}_{field}".upper(), problem) for field, problem in problems.items() if problem
    )
