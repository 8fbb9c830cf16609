"""Checks of the vendors: are they offered, their return addresses, one harmless call to each, our clock."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import AbstractContextManager

from django.conf import settings

import vendors
from onboarding.availability import breaker
from onboarding.monitoring import logs
from vendors.contract import Refused, Unavailable, Vendor, VendorError
from vendors.http.call_context import CallContext, use_context

from .finding import Finding

CLOCK_TOLERANCE = 60.0  # seconds that our clock may differ


def vendors_and_clock(use_breaker: bool) -> Iterator[Finding]:
    """Check all vendors, then our clock by their answers.

    `use_breaker`: calls are recorded, and hosts with an open circuit breaker are not called. That needs
    the database.
    """
    offsets: list[float] = []
    for vendor in settings.VENDORS.offered.values():
        yield _return_address(vendor)
        with logs.with_reference():
            yield _probe(vendor, use_breaker, offsets)
    for kind in vendors.ALL:
        if kind.slug not in settings.VENDORS.offered:
            yield _not_offered(kind)
    if not settings.VENDORS.offered:
        fix = "Set up one of them: the tables in README.md, “Vendors”, list the settings."
        yield Finding("vendors", "fault", "No vendor is offered to merchants.", fix)
    yield clock(offsets)


def _not_offered(kind: type[Vendor]) -> Finding:
    missing = settings.VENDORS.missing.get(kind.slug, ())
    words = f"{kind.name}: not offered"
    if not missing:
        fix = f"Correct the settings {kind.slug.upper()}_… that are named above."
        return Finding(f"vendor/{kind.slug}", "note", f"{words}: its settings are wrong.", fix)
    names = ", ".join(missing)
    fix = f"Set {names}, or leave them all out."
    return Finding(f"vendor/{kind.slug}", "note", f"{words}; not set yet: {names}.", fix)


def _return_address(vendor: Vendor) -> Finding:
    address = f"{settings.SITE_URL}/return/{vendor.slug}/"
    words = f"{vendor.name}: offered; its return address is {address}"
    if settings.HTTPS or settings.LOOPBACK:
        return Finding(f"return/{vendor.slug}", "ok", words)
    fix = "SITE_URL=https://…, with a proxy that ends TLS; then give the vendor the new address."
    return Finding(f"return/{vendor.slug}", "note", f"{words}, in plain http", fix)


# -- a harmless call -------------------------------------------------------------------------------


def _probe(vendor: Vendor, use_breaker: bool, offsets: list[float]) -> Finding:
    """Make the vendor's harmless call. `offsets` gets the seconds by which its clock is ahead of ours."""
    id = f"vendor/{vendor.slug}"
    if not vendor.can("probe"):
        return Finding(id, "note", f"{vendor.name}: it has no call that is safe to test with.")
    watch = CallContext(seconds=breaker.STEP_SECONDS)
    try:
        with _watching(vendor, use_breaker) as watch:
            vendor.probe()
    except VendorError as error:
        words = f"{vendor.name}: {type(error).__name__}: {error.detail}"
        return Finding(id, "fault", words, _fix(vendor, error))
    finally:
        offsets += [called.clock_ahead for called in watch.calls if called.clock_ahead is not None]
    return Finding(id, "ok", f"{vendor.name}: answers and accepts our credentials.")


def _watching(vendor: Vendor, use_breaker: bool) -> AbstractContextManager[CallContext]:
    if use_breaker:
        return breaker.guard(vendor.slug, probing=True)
    return use_context(CallContext(seconds=breaker.STEP_SECONDS))


def _fix(vendor: Vendor, error: VendorError) -> str:
    addresses = ", ".join(_names(vendor, ending="_url")) or "the address"
    if isinstance(error, Unavailable):
        if settings.SANDBOX:
            return "Is the sandbox running? .venv/bin/python manage.py sandbox"
        return (
            f"Try again in a few minutes. If this stays so: is {addresses} right, and does this machine "
            "reach it (name server, firewall)?"
        )
    if isinstance(error, Refused) and error.status in (401, 403):
        return (
            f"Compare {', '.join(_names(vendor))} with what {vendor.name} gave you: changed, expired or "
            "blocked there? Then restart web server and workers."
        )
    if isinstance(error, Refused):
        return f"Ask {vendor.name} why; compare {', '.join(_names(vendor))} and {addresses}."
    return (
        f"Is {addresses} right (version, region)? If so, the vendor’s answer differs from its "
        "documentation: send this line to the developers of Gangway."
    )


def _names(vendor: Vendor, ending: str = "") -> list[str]:
    """Names of settings that have a value: those with this ending, or the credentials.

    Credentials are what is secret or required, but no URL.
    """
    missing = dataclasses.MISSING
    return [
        f"{vendor.slug}_{each.name}".upper()
        for each in dataclasses.fields(vendor)
        if getattr(vendor, each.name)
        and (each.name.endswith(ending) if ending else not each.repr or each.default is missing)
        and bool(ending) == each.name.endswith("_url")
    ]


# -- the clock -------------------------------------------------------------------------------------


def clock(offsets: list[float]) -> Finding:
    """Compare our clock with the vendors' Date headers; the closest counts, as one of them may be wrong."""
    if not offsets:
        fix = "Check it yourself: timedatectl says whether the clock is synchronised."
        return Finding(
            "clock", "note", "No vendor sent a Date header: nothing to compare our clock with.", fix
        )
    off = min(offsets, key=abs)
    words = f"Our clock is {abs(off):.0f} s {'behind' if off > 0 else 'ahead of'} the vendors’."
    if abs(off) > CLOCK_TOLERANCE:
        fix = "Synchronise it: timedatectl set-ntp true (or chrony). Tokens and links expire by it."
        return Finding("clock", "fault", words, fix)
    return Finding("clock", "ok", words)
