"""The vendors: whether they are offered, their return addresses, one harmless call to each; the clock."""

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

OFF = 60.0  # seconds that our clock may differ


def vendors_and_clock(remembered: bool) -> Iterator[Finding]:
    """`remembered`: calls are written down, and hosts that rest are not called."""
    ahead: list[float] = []
    for vendor in settings.VENDORS.offered.values():
        yield _return(vendor)
        with logs.referred():
            yield _probe(vendor, remembered, ahead)
    for kind in vendors.ALL:
        if kind.slug not in settings.VENDORS.offered:
            yield _not_offered(kind)
    if not settings.VENDORS.offered:
        fix = "Set what one of them needs; the tables in README.md, “Vendors”, say what."
        yield Finding("vendors", "fault", "No vendor is offered to merchants.", fix)
    yield clock(ahead)


def _not_offered(kind: type[Vendor]) -> Finding:
    missing = settings.VENDORS.missing.get(kind.slug, ())
    words = f"{kind.name}: not offered"
    if not missing:
        fix = f"Correct what is said of {kind.slug.upper()}_… above."
        return Finding(f"vendor/{kind.slug}", "note", f"{words}: its settings are wrong.", fix)
    names = ", ".join(missing)
    fix = f"Set {names}, or leave them all out."
    return Finding(f"vendor/{kind.slug}", "note", f"{words}; still to be set: {names}.", fix)


def _return(vendor: Vendor) -> Finding:
    address = f"{settings.SITE_URL}/return/{vendor.slug}/"
    words = f"{vendor.name}: offered; its return address is {address}"
    if settings.HTTPS or settings.LOOPBACK:
        return Finding(f"return/{vendor.slug}", "ok", words)
    fix = "SITE_URL=https://…, with a proxy that ends TLS; then give the vendor the new address."
    return Finding(f"return/{vendor.slug}", "note", f"{words}, in plain http", fix)


# -- a harmless call -------------------------------------------------------------------------------


def _probe(vendor: Vendor, remembered: bool, ahead: list[float]) -> Finding:
    """Into `ahead`: how far the vendor's clock is ahead of ours."""
    id = f"vendor/{vendor.slug}"
    if not vendor.can("probe"):
        return Finding(id, "note", f"{vendor.name}: nothing harmless can be asked there.")
    watch = CallContext(seconds=breaker.STEP)
    try:
        with _watching(vendor, remembered) as watch:
            vendor.probe()
    except VendorError as error:
        words = f"{vendor.name}: {type(error).__name__}: {error.detail}"
        return Finding(id, "fault", words, _fix(vendor, error))
    finally:
        ahead += [called.clock_ahead for called in watch.calls if called.clock_ahead is not None]
    return Finding(id, "ok", f"{vendor.name}: answers, and takes our credentials.")


def _watching(vendor: Vendor, remembered: bool) -> AbstractContextManager[CallContext]:
    if remembered:
        return breaker.guard(vendor.slug, probing=True)
    return use_context(CallContext(seconds=breaker.STEP))


def _fix(vendor: Vendor, error: VendorError) -> str:
    addresses = ", ".join(_names(vendor, ending="_url")) or "the address"
    if isinstance(error, Unavailable):
        if settings.SANDBOX:
            return "Is the sandbox running? .venv/bin/python manage.py sandbox"
        return (
            f"Try again in some minutes. If it stays so: is {addresses} right, and does this machine "
            "reach it (name server, firewall)?"
        )
    if isinstance(error, Refused) and error.status in (401, 403):
        return (
            f"Compare {', '.join(_names(vendor))} with what {vendor.name} gave you: changed, expired or "
            "blocked there? Then start web and workers anew."
        )
    if isinstance(error, Refused):
        return f"Ask {vendor.name} why; compare {', '.join(_names(vendor))} and {addresses}."
    return (
        f"Is {addresses} right (version, region)? If so, the vendor answers otherwise than it documents: "
        "tell the developers of Gangway this line."
    )


def _names(vendor: Vendor, ending: str = "") -> list[str]:
    """Settings that have a value: those that end so, or the credentials (secret or required)."""
    nothing = dataclasses.MISSING
    return [
        f"{vendor.slug}_{each.name}".upper()
        for each in dataclasses.fields(vendor)
        if getattr(vendor, each.name)
        and (each.name.endswith(ending) if ending else not each.repr or each.default is nothing)
        and bool(ending) == each.name.endswith("_url")
    ]


# -- the clock -------------------------------------------------------------------------------------


def clock(ahead: list[float]) -> Finding:
    """Against the vendors' Date headers; one whose own clock is wrong accuses nobody."""
    if not ahead:
        fix = "Look yourself: timedatectl says whether the clock is synchronised."
        return Finding("clock", "note", "No vendor told the time: nothing to compare with.", fix)
    off = min(ahead, key=abs)
    words = f"Our clock is {abs(off):.0f} s {'behind' if off > 0 else 'ahead of'} the vendors’."
    if abs(off) > OFF:
        fix = (
            "Synchronise it: timedatectl set-ntp true (or chrony). Tokens and links run out by it."
        )
        return Finding("clock", "fault", words, fix)
    return Finding("clock", "ok", words)
