"""What vendors answer, parsed: lenient in type, strict in shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pydantic_core
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from vendors.contract import Json

T = TypeVar("T")


class Reply(BaseModel):
    """Base of replies: "1" for 1 and 1 for "1" are taken, fields that we do not use are ignored.

    Its repr is empty, because replies carry tokens.
    """

    model_config = ConfigDict(
        extra="ignore", coerce_numbers_to_str=True, frozen=True, hide_input_in_errors=True
    )

    # Any: pydantic's signature.
    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return []


class Nothing(Reply):
    """The body does not matter and is not read; 204 is a success too."""


class Empty(Reply):
    """204, or another documented success without a body. A page with 200 is not "deleted"."""


def none_if_odd(value: Json, parse: Callable[[Json], T]) -> T | None:
    """For `WrapValidator`: a field or row that does not fit is None, and does not spoil the reply."""
    try:
        return parse(value)
    except ValidationError:
        return None


def parse(body: bytes, reply: type[T] | TypeAdapter[T]) -> T:
    """Raises ValueError with the names and kinds of the faults, never with a value."""
    adapter: TypeAdapter[T] = reply if isinstance(reply, TypeAdapter) else TypeAdapter(reply)
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        raise ValueError(_faults(error)) from None


def loose_json(body: bytes | None) -> Json:
    """An error's body, whatever it is; None if it is not JSON."""
    try:
        return pydantic_core.from_json(body or b"")
    except ValueError:
        return None


def _faults(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return ", ".join(f"{'.'.join(map(str, fault['loc']))}({fault['type']})" for fault in faults[:8])
