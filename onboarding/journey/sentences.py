"""Sentences about a call that went wrong: who did what, who looks at it, and what happens next.

An error that brings a `note` of its own does not need one.
"""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from onboarding import moments
from onboarding.models.status import Cause
from vendors.contract import Garbled, Refused, Text, Unavailable, Vendor, Why, text


def unavailable(error: Unavailable, vendor: str) -> Text:
    """Why the vendor is asked again later. `vendor` is its name."""
    match error.why:
        case Why.UNREACHABLE:
            return text("We cannot reach %(vendor)s at the moment. We keep trying.", vendor=vendor)
        case Why.BROKEN_OFF:
            return text("The connection to %(vendor)s broke off. We keep trying.", vendor=vendor)
        case Why.TIMED_OUT:
            return text("%(vendor)s took too long to answer. We keep trying.", vendor=vendor)
        case Why.FAULT:
            return text("%(vendor)s reports a problem on its side. We keep trying.", vendor=vendor)
        case Why.ASKED_TO_WAIT:
            return _asked_to_wait(error.asked_until, vendor)
        case Why.UNKNOWN | Why.UNREADABLE:
            return text("%(vendor)s is not answering. We keep trying.", vendor=vendor)
    assert_never(error.why)


def _asked_to_wait(until: datetime | None, vendor: str) -> Text:
    if until is None:
        return text(
            "%(vendor)s asks us to wait a moment. Then we continue automatically.", vendor=vendor
        )
    return text(
        "%(vendor)s asks us to wait until %(time)s. Then we continue automatically.",
        vendor=vendor,
        time=moments.whole_minute(until),
    )


def refused(error: Refused, vendor: str) -> Text:
    """The vendor said no to us, and staff have to change something."""
    if error.cause == "credentials":
        return text(
            "%(vendor)s is not letting us sign in. Our staff know and are working on it.",
            vendor=vendor,
        )
    if error.status:
        return text(
            "%(vendor)s refused our request. Our staff know and are working on it.",
            vendor=vendor,
        )
    return text("A setting on our side is wrong. Our staff know and are working on it.")


def garbled(error: Garbled, vendor: str) -> Text:
    """The vendor answered, and we cannot use its answer."""
    if error.cause == Cause.NO_PROGRESS:
        return text(
            "We are stuck at %(vendor)s. Our staff know and are looking into it.",
            vendor=vendor,
        )
    if error.why is Why.UNREADABLE:
        return text(
            "We could not read the answer from %(vendor)s. Our staff know and are looking into it.",
            vendor=vendor,
        )
    return text(
        "%(vendor)s sent an answer we did not expect. Our staff know and are looking into it.",
        vendor=vendor,
    )


def unsure(vendor: Vendor, creation: str, why: Why) -> Text:
    """A creation got no clear reply. `creation` is a key of `Vendor.unsure_notes`."""
    if notes := vendor.unsure_notes.get(creation):
        return notes.unreadable if why is Why.UNREADABLE else notes.no_answer
    return text(
        "We are checking whether %(vendor)s received our request. This way nothing is"
        " created twice.",
        vendor=vendor.name,
    )
