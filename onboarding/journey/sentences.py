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
            return text("%(vendor)s reports a fault of its own. We keep trying.", vendor=vendor)
        case Why.ASKED_TO_WAIT:
            return _asked_to_wait(error.asked_until, vendor)
        case Why.UNKNOWN | Why.UNREADABLE:
            return text("%(vendor)s is not answering. We keep trying.", vendor=vendor)
    assert_never(error.why)


def _asked_to_wait(until: datetime | None, vendor: str) -> Text:
    if until is None:
        return text(
            "%(vendor)s asks us to wait a moment. We then continue automatically.", vendor=vendor
        )
    return text(
        "%(vendor)s asks us to wait until %(time)s. We then continue automatically.",
        vendor=vendor,
        time=moments.whole_minute(until),
    )


def refused(error: Refused, vendor: str) -> Text:
    """The vendor said no to us, and staff have to change something."""
    if error.cause == "credentials":
        return text(
            "%(vendor)s does not let us in at the moment. Our staff know and are working on it.",
            vendor=vendor,
        )
    if error.status:
        return text(
            "%(vendor)s refused a request of ours. Our staff know and are working on it.",
            vendor=vendor,
        )
    return text(
        "Something is not set up correctly on our side. Our staff know and are working on it."
    )


def garbled(error: Garbled, vendor: str) -> Text:
    """The vendor answered, and we cannot use its answer."""
    if error.cause == Cause.NO_PROGRESS:
        return text(
            "We cannot get any further with %(vendor)s. Our staff know and are looking into it.",
            vendor=vendor,
        )
    if error.why is Why.UNREADABLE:
        return text(
            "%(vendor)s’s answer could not be read. Our staff know and are looking into it.",
            vendor=vendor,
        )
    return text(
        "%(vendor)s gave an answer that we did not expect. Our staff know and are looking into it.",
        vendor=vendor,
    )


def unsure(vendor: Vendor, creation: str, why: Why) -> Text:
    """A creation got no clear reply. `creation` is a key of `Vendor.unsure_notes`."""
    if notes := vendor.unsure_notes.get(creation):
        return notes.unreadable if why is Why.UNREADABLE else notes.no_answer
    return text(
        "%(vendor)s has not told us whether our request worked. We are checking, so that nothing is"
        " made twice.",
        vendor=vendor.name,
    )
