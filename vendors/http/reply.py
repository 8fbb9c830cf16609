"""Parsing of reply bodies with pydantic: lenient in the type of a field, strict in the shape.

A field of a reply has one of the types below, never a bare `str` or `int`: whatever passes them can be
stored in any column, sent in a header, put into a URL, calculated with, and shown. What does not is
unreadable, and the error names the field (`access_token(not_ascii)`), never its value.

    Id         an id at the vendor, which goes into URLs, headers and columns
    Secret     a token or a secret, which goes into headers
               OptionalId and OptionalSecret may be missing: null and "" are None
    Url        a link to a page of the vendor
    Words      a text in one line, such as a name or a status
               OptionalWords says something to people alone: whatever cannot be read is None
    Lines      a text that may have several lines, such as a description
    Number     a whole number of 64 bits
    Seconds    a lifetime, or a moment since 1970; an absurd one is cut
    Anything   JSON of any shape, whose reader checks each value with isinstance
    Moment     (in times.py) a moment, in UTC
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

import pydantic_core
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from vendors.contract import Json
from vendors.contract.characters import is_plain

T = TypeVar("T")

# Ids are stored in columns of 200 and 250 letters; an id of ours is sometimes added to the vendor's.
LONGEST_ID, LONGEST_SECRET, LONGEST_URL = 200, 4000, 4000
LONGEST_WORDS, LONGEST_LINES = 1000, 20_000
LONGEST_TIME = 2**53  # seconds, which a float can still tell apart
VISIBLE_ASCII = re.compile(r"[!-~]+")
# A byte order mark, which RFC 8259 lets a reader ignore; several programs may each write one.
LEADING = b"\xef\xbb\xbf \t\r\n"


# -- the types of fields ---------------------------------------------------------------------------


def _no_float(value: object) -> object:
    """1.5 and NaN are no ids; as text they would look like some."""
    if isinstance(value, float):
        raise PydanticCustomError("not_text", "a number with a fraction")
    return value


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("not_finite", "not a finite number")
    return value


def _no_bool(value: object) -> object:
    """Python takes True for 1."""
    if isinstance(value, bool):
        raise PydanticCustomError("not_number", "true or false is no number")
    return value


def _cut(seconds: int) -> int:
    return min(max(seconds, -LONGEST_TIME), LONGEST_TIME)


def _none_if_blank(value: object) -> object:
    return None if value == "" else value


def _ascii(text: str) -> str:
    if not VISIBLE_ASCII.fullmatch(text):
        raise PydanticCustomError("not_ascii", "other characters than visible ASCII")
    return text


def _plain(text: str) -> str:
    if not is_plain(text):
        raise PydanticCustomError("not_plain", "control characters")
    return text


def _plain_lines(text: str) -> str:
    _plain(re.sub(r"[\t\r\n]", " ", text))
    return text


def _url(text: str) -> str:
    """A link that can be taken apart. Whether a browser may follow it is for `urls.allowed`."""
    try:
        _ = urlsplit(text).port
    except ValueError:
        raise PydanticCustomError("not_url", "not the address of a page") from None
    return text


def _storable(value: Json) -> Json:
    """JSON that can be stored and sent again: plain texts and names, finite numbers."""
    if isinstance(value, str):
        return _plain_lines(value)
    if isinstance(value, list):
        return [_storable(each) for each in value]
    if isinstance(value, dict):
        return {_plain(name): _storable(each) for name, each in value.items()}
    return _finite(value)


def none_if_odd(value: Json, parse: Callable[[Json], T]) -> T | None:
    """For `WrapValidator`: a field or row that cannot be parsed is None, and the rest is still read."""
    try:
        return parse(value)
    except ValidationError:
        return None


_text = BeforeValidator(_no_float)
Id = Annotated[str, _text, AfterValidator(_ascii), Field(max_length=LONGEST_ID)]
Secret = Annotated[str, _text, AfterValidator(_ascii), Field(max_length=LONGEST_SECRET)]
_optional = BeforeValidator(_none_if_blank)
OptionalId = Annotated[Id | None, _optional]
OptionalSecret = Annotated[Secret | None, _optional]
Url = Annotated[
    str, AfterValidator(_url), AfterValidator(_plain), Field(min_length=1, max_length=LONGEST_URL)
]
_words = BeforeValidator(_finite)
Words = Annotated[str, _words, AfterValidator(_plain), Field(max_length=LONGEST_WORDS)]
OptionalWords = Annotated[Words | None, WrapValidator(none_if_odd)]
Lines = Annotated[str, _words, AfterValidator(_plain_lines), Field(max_length=LONGEST_LINES)]
Number = Annotated[int, BeforeValidator(_no_bool), Field(ge=-(2**63), lt=2**63)]
Seconds = Annotated[int, BeforeValidator(_no_bool), AfterValidator(_cut)]
Anything = Annotated[Json, AfterValidator(_storable)]


# -- models ----------------------------------------------------------------------------------------


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


class Unread(Reply):
    """A reply that has no body, or JSON of which nothing is read. An HTML page is unreadable here too."""


# -- bodies ----------------------------------------------------------------------------------------


def parse(body: bytes, reply: type[T] | TypeAdapter[T]) -> T:
    """Parse a JSON body. Raises ValueError with the names and kinds of invalid fields, never a value."""
    adapter: TypeAdapter[T] = reply if isinstance(reply, TypeAdapter) else TypeAdapter(reply)
    try:
        value = _json(body)
    except ValueError:
        raise ValueError("not JSON") from None
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise ValueError(_faults(error)) from None


def is_blank(body: bytes) -> bool:
    """Whether nothing stands in the body: white space and byte order marks do not count."""
    return not body.lstrip(LEADING)


def loose_json(body: bytes | None) -> Json:
    """Any JSON body, such as that of an error; None if it is not JSON."""
    try:
        return _json(body or b"")
    except ValueError:
        return None


def _json(body: bytes) -> Json:
    """Raises ValueError for anything but JSON in UTF-8, also for NaN and for very deep nesting."""
    return pydantic_core.from_json(body.lstrip(LEADING), allow_inf_nan=False)


def _faults(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return ", ".join(f"{'.'.join(map(str, fault['loc']))}({fault['type']})" for fault in faults[:8])
