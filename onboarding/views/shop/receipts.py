"""The receipts of a shop: what somebody agreed to, on a page that prints and as a signed file."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from onboarding import registry
from onboarding.consent import receipts, signing
from onboarding.methods import require_read
from onboarding.models import Connection, Consent
from onboarding.views.access import Request, for_connection


@require_read
@for_connection
def newest(request: Request, connection: Connection) -> HttpResponse:
    """The newest receipt, with links to those before it."""
    return _page(request, connection, receipts.of_shop(connection).first())


@require_read
@for_connection
def older(request: Request, connection: Connection, consent: str) -> HttpResponse:
    return _page(request, connection, _consent(connection, consent))


@require_read
@for_connection
def download(request: Request, connection: Connection, consent: str) -> HttpResponse:
    """The receipt as a signed file, as it is at this moment."""
    row = _consent(connection, consent)
    file = signing.signed(receipts.in_its_language(row))
    response = HttpResponse(file, content_type="application/json")
    name = f"receipt-{connection.reference}-{row.reference}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def _consent(connection: Connection, reference: str) -> Consent:
    return get_object_or_404(receipts.of_shop(connection), reference=reference)


def _page(request: Request, connection: Connection, consent: Consent | None) -> HttpResponse:
    """Without a consent the page says why: the shop was begun before receipts were kept."""
    all_receipts = list(receipts.of_shop(connection))
    context = {
        "connection": connection,
        "merchant": connection.account.merchant,
        "vendor_name": registry.vendor_name(connection.vendor),
        "consent": consent,
        "end": receipts.end_of(consent) if consent else None,
        "newest": all_receipts[0] if all_receipts else None,
        "all": all_receipts,
    }
    return render(request, "onboarding/shop_receipt.html", context)
