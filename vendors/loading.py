"""From the environment to vendors: reads, converts and judges their settings."""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from .contract import Vendor

Problem = tuple[str, str]  # (setting, what to do); never holds a value
Environ = Mapping[str, str]

YES, NO = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


@dataclass(frozen=True)
class Loaded:
    """What the environment gives: vendors by slug, what others lack, and what is set but wrong."""

    offered: Mapping[str, Vendor]
    missing: Mapping[str, tuple[str, ...]]
    problems: tuple[Problem, ...]


def settings(vendor: type[Vendor]) -> tuple[str, ...]:
    """Names of all settings of a vendor."""
    return tuple(_name(vendor, each) for each in dataclasses.fields(vendor))


def required(vendor: type[Vendor]) -> tuple[str, ...]:
    """Names of the settings without which a vendor is not offered."""
    return tuple(_name(vendor, each) for each in dataclasses.fields(vendor) if _needed(each))


def load(vendors: tuple[type[Vendor], ...], environ: Environ) -> Loaded:
    offered: dict[str, Vendor] = {}
    missing: dict[str, tuple[str, ...]] = {}
    problems: list[Problem] = []
    for vendor in vendors:
        reading = _Reading(vendor, _effective(vendor, environ, problems))
        made = reading.make()
        problems += reading.problems
        if made:
            offered[vendor.slug] = made
        elif lacking := reading.lacking():
            missing[vendor.slug] = lacking
    return Loaded(offered, missing, tuple(problems))


def _effective(vendor: type[Vendor], environ: Environ, problems: list[Problem]) -> Environ:
    """The environment, or the sandbox's settings for a vendor that has none of its own."""
    if environ.get("SANDBOX", "").strip().lower() not in YES:
        return environ
    mine = tuple(name for name in settings(vendor) if _is_set(environ, name))
    lacking = tuple(name for name in required(vendor) if name not in mine)
    if not mine and environ.get("SANDBOX_URL", "").strip():
        sandbox = importlib.import_module(f"vendors.{vendor.slug}.sandbox")
        return {**environ, **sandbox.environ(environ["SANDBOX_URL"].strip().rstrip("/"))}
    if not mine:
        problems.append(("SANDBOX_URL", f"set it: SANDBOX is on and {vendor.name} has no settings"))
    elif lacking:
        words = f"set {_and(lacking)} too, or unset {_and(mine)} to use the sandbox"
        problems.append((lacking[0], words))
    return environ


@dataclass
class _Reading:
    """One vendor's settings, as they are read."""

    vendor: type[Vendor]
    environ: Environ
    problems: list[Problem] = field(default_factory=list)

    def make(self) -> Vendor | None:
        self._look_for_unknown()
        kinds = get_type_hints(self.vendor)
        values = {}
        for each in dataclasses.fields(self.vendor):
            raw = self._raw(_name(self.vendor, each))
            if raw.strip():
                values[each.name] = self._convert(each, raw, kinds[each.name])
        if self.problems or self.lacking():
            return None
        made = self.vendor(**values)
        self.problems += made.problems()
        return None if self.problems else made

    def lacking(self) -> tuple[str, ...]:
        return tuple(name for name in required(self.vendor) if not _is_set(self.environ, name))

    def _raw(self, name: str) -> str:
        file = self.environ.get(f"{name}_FILE", "").strip()
        if not file:
            return self.environ.get(name, "")
        if self.environ.get(name, "").strip():
            self.problems.append((name, f"set either {name} or {name}_FILE, not both"))
        try:
            return self._filled(name, Path(file).read_text(encoding="utf-8").rstrip("\r\n"))
        except (OSError, UnicodeDecodeError):
            self.problems.append((f"{name}_FILE", "name a file that can be read"))
            return ""

    def _filled(self, name: str, content: str) -> str:
        if not content.strip():
            self.problems.append((f"{name}_FILE", "name a file that is not empty"))
        return content

    def _convert(self, each: dataclasses.Field[Any], raw: str, kind: Any) -> Any:
        kind = _plain(kind)
        try:
            if kind is str:
                return raw.strip().rstrip("/") if each.name.endswith("_url") else raw
            return CONVERTERS[kind](raw.strip())
        except ValueError:
            self.problems.append((_name(self.vendor, each), f"must be {WORDS[kind]}"))
            return None

    def _look_for_unknown(self) -> None:
        known = [name + end for name in settings(self.vendor) for end in ("", "_FILE")]
        for name, value in self.environ.items():
            if name.startswith(_prefix(self.vendor)) and value.strip() and name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else "; unset it"
                self.problems.append((name, f"is not a setting{hint}"))


def _prefix(vendor: type[Vendor]) -> str:
    return f"{vendor.slug.upper()}_"


def _name(vendor: type[Vendor], each: dataclasses.Field[Any]) -> str:
    return _prefix(vendor) + each.name.upper()


def _needed(each: dataclasses.Field[Any]) -> bool:
    nothing = dataclasses.MISSING
    return each.default is nothing and each.default_factory is nothing


def _is_set(environ: Environ, name: str) -> bool:
    return any(environ.get(each, "").strip() for each in (name, f"{name}_FILE"))


def _and(names: tuple[str, ...]) -> str:
    return " and ".join(names)


def _plain(kind: Any) -> Any:
    """`int` for `int | None`, `tuple` for `tuple[str, ...]`."""
    if get_origin(kind) in (Union, UnionType):
        kind = next(each for each in get_args(kind) if each is not NoneType)
    return get_origin(kind) or kind


def _bool(raw: str) -> bool:
    if raw.lower() not in YES | NO:
        raise ValueError
    return raw.lower() in YES


def _list(raw: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in raw.split(",") if part.strip())


def _object(raw: str) -> dict[str, Any]:
    value = json.loads(raw)
    if not isinstance(value, dict):
        raise ValueError
    return value


CONVERTERS: Mapping[Any, Callable[[str], Any]] = {
    bool: _bool, int: int, float: float, tuple: _list, dict: _object, Mapping: _object,
}  # fmt: skip
WORDS: Mapping[Any, str] = {
    bool: "1 or 0", int: "a whole number", float: "a number", tuple: "a list with commas",
    dict: 'a JSON object, like {"key": "value"}', Mapping: 'a JSON object, like {"key": "value"}',
}  # fmt: skip
