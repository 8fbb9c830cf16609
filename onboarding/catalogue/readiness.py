"""What merchants may choose: nothing for which staff have not yet set what its vendor asks of them.

A vendor may have to be asked over HTTP for its questions, so the answer stands in a column: written
hourly and whenever staff save, read by the catalogue.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from onboarding.models import Connector
from vendors.contract import Question, Vendor

Needed = Mapping[str, Collection[str]]  # a connector's key → the questions that must be answered


def needed(vendor: Vendor, keys: Iterable[str]) -> Needed:
    """Asks the vendor. Raises VendorError."""
    if not asks(vendor):
        return dict.fromkeys(keys, ())
    return {key: required(vendor.connector_questions(key)) for key in keys}


def asks(vendor: Vendor | None) -> bool:
    """Whether staff are asked anything about this vendor's connectors. Without asking the vendor."""
    return vendor is not None and vendor.can("connector_questions")


def required(questions: Iterable[Question]) -> list[str]:
    return [question.key for question in questions if question.required]


def is_ready(options: Mapping[str, Any], keys: Iterable[str]) -> bool:
    return all(str(options.get(key) or "").strip() for key in keys)


def write(vendor: str, keys: Needed) -> None:
    """For all connectors of a vendor, also those that staff added. In the caller's transaction."""
    for row in Connector.objects.filter(vendor=vendor, key__in=keys):
        ready = is_ready(row.options, keys[row.key])
        if ready != row.ready:
            Connector.objects.filter(pk=row.pk).update(ready=ready)
