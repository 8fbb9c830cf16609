"""Vendor loader: turns environment variables into configured vendors."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

from pydantic import AfterValidator, Field, create_model

from .contract import Vendor
from .reader import Settings, is_set, read

Problem = tuple[str, str]  # (setting, what to do); never holds a value
Environ = Mapping[str, str]
Url = Annotated[str, AfterValidator(lambda text: text.strip().rstrip("/"))]


@dataclass(frozen=True)
class Loaded:
    """Configured vendors by slug, missing settings of the other vendors by slug, and invalid settings."""

    offered: Mapping[str, Vendor]
    missing: Mapping[str, tuple[str, ...]]
    problems: tuple[Problem, ...]


class Sandbox(Settings):
    """Settings of the sandbox. With SANDBOX=1 it replaces every vendor that has no settings."""

    sandbox: bool = False
    sandbox_url: Url = ""


def settings(vendor: type[Vendor]) -> tuple[str, ...]:
    """Names of all settings of a vendor."""
    return tuple(_name(vendor, each) for each in dataclasses.fields(vendor))


def required(vendor: type[Vendor]) -> tuple[str, ...]:
    """Names of the settings without which a vendor is not offered."""
    return tuple(
        _name(vendor, each) for each in dataclasses.fields(vendor) if _has_no_default(each)
    )


def load(vendors: tuple[type[Vendor], ...], environ: Environ) -> Loaded:
    """Configure each vendor from `environ`. A vendor that has a problem is not offered."""
    offered: dict[str, Vendor] = {}
    missing: dict[str, tuple[str, ...]] = {}
    problems: list[Problem] = []
    sandbox = read(Sandbox, environ).values
    for vendor in vendors:
        variables = environ
        if sandbox.sandbox:
            variables = _with_sandbox(vendor, environ, sandbox.sandbox_url, problems)
        lacking = tuple(name for name in required(vendor) if not is_set(variables, name))
        made, invalid = _configure(vendor, variables, complete=not lacking)
        problems += invalid
        if made:
            offered[vendor.slug] = made
        elif lacking:
            missing[vendor.slug] = lacking
    return Loaded(offered, missing, tuple(problems))


def _with_sandbox(
    vendor: type[Vendor], environ: Environ, sandbox_url: str, problems: list[Problem]
) -> Environ:
    """`environ`, with the sandbox's settings for a vendor that has no settings of its own."""
    present = tuple(name for name in settings(vendor) if is_set(environ, name))
    lacking = tuple(name for name in required(vendor) if name not in present)
    if not present and sandbox_url:
        module = importlib.import_module(f"vendors.{vendor.slug}.sandbox")
        return {**environ, **module.environ(sandbox_url)}
    if not present:
        problems.append(("SANDBOX_URL", f"set it: SANDBOX is on and {vendor.name} has no settings"))
    elif lacking:
        present_names, lacking_names = " and ".join(present), " and ".join(lacking)
        advice = f"set {lacking_names} too, or unset {present_names} to use the sandbox"
        problems.append((lacking[0], advice))
    return environ


def _configure(
    vendor: type[Vendor], environ: Environ, *, complete: bool
) -> tuple[Vendor | None, list[Problem]]:
    """The vendor, or None if a setting is missing or invalid; and all problems of its settings."""
    found = read(_model(vendor), environ, _prefix(vendor))
    if found.problems or not complete:
        return None, [*found.problems]
    values = found.values
    made = vendor(**{name: getattr(values, name) for name in values.model_fields_set})
    problems = [*made.problems()]
    return (None if problems else made), problems


def _model(vendor: type[Vendor]) -> type[Settings]:
    """The vendor's fields as a model for the reader. None stands for the default of the vendor's field."""
    kinds = get_type_hints(vendor)
    fields: dict[str, Any] = {}
    for each in dataclasses.fields(vendor):
        kind = Url if each.name.endswith("_url") else kinds[each.name]
        fields[each.name] = (kind, Field(None, validate_default=False, repr=each.repr))
    return create_model(vendor.__name__, __base__=Settings, **fields)


def _prefix(vendor: type[Vendor]) -> str:
    return f"{vendor.slug.upper()}_"


def _name(vendor: type[Vendor], field: dataclasses.Field[object]) -> str:
    return _prefix(vendor) + field.name.upper()


def _has_no_default(field: dataclasses.Field[object]) -> bool:
    nothing = dataclasses.MISSING
    return field.default is nothing and field.default_factory is nothing
