"""Settings reader: typed settings from environment variables, on top of pydantic-settings.

The setting `NAME` comes from the variable `NAME` or from the file that `NAME_FILE` names. The reader
reports every problem, not only the first one. No message quotes a value, because it may be a secret.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Generic, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

S = TypeVar("S", bound="Settings")
TYPO = 0.87  # similarity of two names after a typo or two: SITE_ULR and SITE_URL have 0.875


class Settings(BaseSettings):
    """Base class of all settings: the field `site_url` is the setting SITE_URL.

    A field with `repr=False` is a secret. Every field has a default.
    """

    model_config = SettingsConfigDict(frozen=True, hide_input_in_errors=True)


class Problem(NamedTuple):
    """What is wrong with one variable. The message never quotes the value."""

    name: str
    message: str


@dataclass(frozen=True)
class Environment(Generic[S]):
    """The settings that were read, and everything that is wrong with them."""

    values: S
    problems: list[Problem]
    typos: list[Problem]  # variables whose names are close to a setting
    given: frozenset[str]  # names of the settings that have a value, valid or not

    def is_set(self, name: str) -> bool:
        """Whether the operator gave this setting a value, in a variable or in a file."""
        return name in self.given


def read(model: type[S], environ: Mapping[str, str], prefix: str = "") -> Environment[S]:
    """Read the fields of `model` from `environ`; an invalid value is replaced by the default.

    All variables that start with `prefix` are ours: an unknown one is a problem, and any setting may
    come from a file. Without a prefix only a secret may come from a file, and an unknown variable
    whose name looks like a setting is listed in `typos`.
    """
    source = _Source(model, environ, prefix)
    problems = source.problems
    try:
        values = source.validated(model)
    except ValidationError as error:
        problems += source.reject(error)
        values = source.validated(model)
    given = frozenset(source.variable(field) for field in source.texts)
    if prefix:
        return Environment(values, _unknown(environ, source.names, prefix) + problems, [], given)
    return Environment(values, problems, _typos(environ, source.names), given)


def is_set(environ: Mapping[str, str], name: str) -> bool:
    """Whether the variable `name` or `name`_FILE has a value."""
    return any(environ.get(each, "").strip() for each in (name, f"{name}_FILE"))


class _Source(PydanticBaseSettingsSource):
    """Settings source: the text of each field, from a variable or from the file that NAME_FILE names."""

    def __init__(self, model: type[Settings], environ: Mapping[str, str], prefix: str) -> None:
        super().__init__(model)
        self.environ, self.prefix, self.fields = environ, prefix, model.model_fields
        self.names: list[str] = []  # every variable that is looked up
        self.problems: list[Problem] = []
        self.rejected: set[str] = set()
        texts = {name: self._text(name, field) for name, field in self.fields.items()}
        self.texts = {name: text for name, text in texts.items() if text.strip()}

    def variable(self, field_name: str) -> str:
        return self.prefix + field_name.upper()

    # Any: the signature of pydantic-settings.
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self.texts.get(field_name), field_name, False

    # Any: the signature of pydantic-settings.
    def prepare_field_value(
        self, field_name: str, field: FieldInfo, value: Any, value_is_complex: bool
    ) -> Any:
        """Split comma-separated lists and decode JSON objects; pydantic converts everything else."""
        kind = _kind(field)
        if kind is tuple:
            return tuple(part.strip() for part in value.split(",") if part.strip())
        if kind in (dict, Mapping):
            return _decoded(value)
        return value if kind is str else value.strip()  # a password may end in a space

    # Any: the signature of pydantic-settings.
    def __call__(self) -> dict[str, Any]:
        return {
            name: self.prepare_field_value(name, self.fields[name], text, False)
            for name, text in self.texts.items()
            if name not in self.rejected
        }

    def validated(self, model: type[S]) -> S:
        # mypy sees only the fields of `model`, not the arguments that BaseSettings adds to them.
        return model(_build_sources=((self,), {}))  # type: ignore[call-arg]

    def reject(self, error: ValidationError) -> list[Problem]:
        """Drop the invalid values, and say what they must be."""
        details = error.errors(include_url=False, include_input=False)
        first = {str(each["loc"][0]): each for each in reversed(details)}
        self.rejected |= first.keys()
        return [
            Problem(self.variable(name), _message(field, first[name]))
            for name, field in self.fields.items()
            if name in first
        ]

    def _text(self, field_name: str, field: FieldInfo) -> str:
        name = self.variable(field_name)
        value = self.environ.get(name, "")
        self.names.append(name)
        if field.repr and not self.prefix:
            return value
        self.names.append(f"{name}_FILE")
        file = self.environ.get(f"{name}_FILE", "").strip()
        if not file:
            return value
        if value.strip():
            self.problems.append(Problem(name, f"set either {name} or {name}_FILE, not both"))
        return self._content(f"{name}_FILE", Path(file))

    def _content(self, name: str, path: Path) -> str:
        try:
            content = path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            self.problems.append(Problem(name, "name a file that can be read"))
            return ""
        if not content.strip():
            self.problems.append(Problem(name, "name a file that is not empty"))
        return content


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text  # pydantic rejects it, because text is no mapping


# -- messages --------------------------------------------------------------------------------------


def _message(field: FieldInfo, error: ErrorDetails) -> str:
    """The message of our own validator, or what the field's type requires; never pydantic's words."""
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    kind = _kind(field)
    if kind is Literal:
        return f"must be one of: {', '.join(get_args(field.annotation))}"
    if kind is int:
        return f"must be a whole number{_range(field.metadata)}"
    return REQUIREMENTS.get(kind, "cannot be read")


REQUIREMENTS: Mapping[object, str] = {
    bool: "must be 1 or 0",
    float: "must be a number",
    tuple: "must be a comma-separated list",
    dict: 'must be a JSON object, like {"key": "value"}',
    Mapping: 'must be a JSON object, like {"key": "value"}',
}


def _range(metadata: Sequence[object]) -> str:
    least = [each.ge for each in metadata if isinstance(each, Ge)]
    most = [each.le for each in metadata if isinstance(each, Le)]
    return f" from {least[0]} to {most[0]}" if least and most else ""


def _kind(field: FieldInfo) -> object:
    """The type without its parameters: `int` for `int | None`, `tuple` for `tuple[str, ...]`."""
    kind: object = field.annotation
    if get_origin(kind) in (Union, UnionType):
        kind = next(each for each in get_args(kind) if each is not NoneType)
    return get_origin(kind) or kind


# -- unknown variables -----------------------------------------------------------------------------


def _unknown(environ: Mapping[str, str], names: list[str], prefix: str) -> list[Problem]:
    """Every variable with our prefix that is not a setting."""
    found = []
    for name, value in environ.items():
        if name.startswith(prefix) and value.strip() and name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            advice = f"did you mean {near[0]}?" if near else "unset it"
            found.append(Problem(name, f"is not a setting; {advice}"))
    return found


def _typos(environ: Mapping[str, str], names: list[str]) -> list[Problem]:
    """Variables that are a typo or two away from a setting that is not set.

    Names of a single word are skipped: other programs have variables like HOSTS and DEBUGS, too.
    """
    unset = [
        each for each in names if "_" in each and not is_set(environ, each.removesuffix("_FILE"))
    ]
    found = []
    for name, value in environ.items():
        if "_" in name and name not in names and value.strip():
            for near in difflib.get_close_matches(name, unset, n=1, cutoff=TYPO):
                found.append(Problem(name, f"is not a setting; did you mean {near}?"))
    return found
