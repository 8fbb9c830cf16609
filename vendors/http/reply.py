"""Parsing of reply bodies with pydantic: lenient in the type of a field, strict in the shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pydantic_core
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from vendors.contract import Json

T = TypeVar("T")


class Reply(BaseModel):
    """Base class of all replies. It accepts "1" for 1 and 1 for "1", and ignores fields of no use to us.

    The repr shows no field, because replies contain tokens.
    """

    model_config = ConfigDict(
        extra="ignore", coerce_numbers_to_str=True, frozen=True, hide_input_in_errors=True
    )

    # Any: pydantic's signature.
    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return []


class Nothing(Reply):
    """A reply whose body is not read. 204 is a success too."""


class Empty(Reply):
    """A reply that must have no body: 204, or another success without one.

    An HTML page with 200 is unreadable then, and does not count as "deleted".
    """


def none_if_odd(value: Json, parse: Callable[[Json], T]) -> T | None:
    """For `WrapValidator`: a field or row that cannot be parsed is None, and the rest is still read."""
    try:
        return parse(value)
    except ValidationError:
        return None


def parse(body: bytes, reply: type[T] | TypeAdapter[T]) -> T:
    """Parse a JSON body. Raises ValueError with the names and kinds of invalid fields, never a value."""
    adapter: TypeAdapter[T] = reply if isinstance(reply, TypeAdapter) else TypeAdapter(reply)
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        raise ValueError(_faults(error)) from None


def loose_json(body: bytes | None) -> Json:
    """Any JSON body, such as that of an error; None if it is not JSON."""
    try:
        return pydantic_core.from_json(body or b"")
    except ValueError:
        return None


def _faults(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return ", ".join(f"{'.'.join(map(str, fault['loc']))}({fault['type']})" for fault in faults[:8])
