"""Readiness of connectors: offered to merchants only when staff have answered the vendor's questions.

Some vendors have to be asked over HTTP for their questions. So the result is stored in `Connector.ready`:
written hourly and whenever staff save, read by the catalogue.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from onboarding.models import Connector
from vendors.contract import Question, Vendor

# A connector's key → the keys of the questions that must be answered.
Needed = Mapping[str, Collection[str]]


def needed(vendor: Vendor, keys: Iterable[str]) -> Needed:
    """Ask the vendor which questions of these connectors must be answered. Raises VendorError."""
    if not has_questions(vendor):
        return dict.fromkeys(keys, ())
    return {key: required(vendor.connector_questions(key)) for key in keys}


def has_questions(vendor: Vendor | None) -> bool:
    """Whether this vendor has questions about its connectors for staff. It is not called for this."""
    return vendor is not None and vendor.can("connector_questions")


def required(questions: Iterable[Question]) -> list[str]:
    """Keys of the questions that must be answered."""
    return [question.key for question in questions if question.required]


def is_ready(options: Mapping[str, object], keys: Iterable[str]) -> bool:
    """Whether all these questions have an answer that is not blank."""
    return all(str(options.get(key) or "").strip() for key in keys)


def write(vendor: str, keys: Needed) -> None:
    """Store the readiness of a vendor's connectors, also of those that staff added.

    Part of the caller's transaction.
    """
    for row in Connector.objects.filter(vendor=vendor, key__in=keys):
        ready = is_ready(row.options, keys[row.key])
        if ready != row.ready:
            Connector.objects.filter(pk=row.pk).update(ready=ready)
