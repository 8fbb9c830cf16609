"""Closing an account or a business, and the receipt that anybody with its address can read."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from onboarding.methods import require_read, require_read_or_post
from onboarding.models import ClosingMail, Connection, Membership, User
from onboarding.models.status import Status
from onboarding.notifications.closing_mails import Receipt
from onboarding.questions import form_data
from onboarding.rights import closing, erasure
from onboarding.rights.forms import CloseBusinessForm, HandOverForm
from onboarding.views.access import Request, for_owner, signed_in
from onboarding.views.vendor_trip.leaving import SeeOther


@require_read_or_post
@signed_in
def close_account(request: Request) -> HttpResponse:
    """What will happen, who takes over where that is to be said, and the button."""
    leaving = erasure.plan(request.user)
    form = HandOverForm(leaving, form_data(request))
    if form.is_valid():
        receipt = _erase(request, form)
        if not form.errors:
            logout(request)
            return SeeOther(receipt.get_absolute_url() if receipt else "/")
    context = {"form": form, "leaving": leaving, "days": settings.RETENTION_DAYS}
    status = 422 if form.errors else 200
    return render(request, "onboarding/close_account.html", context, status=status)


def _erase(request: Request, form: HandOverForm) -> ClosingMail | None:
    """The receipt. None when it was done already, or cannot be done now: then the form says why."""
    try:
        return erasure.erase(request.user, form.choices, request=request)
    except erasure.Busy:
        message = gettext(
            "We are checking one of your shops with our partner, so nothing was changed. Try again"
            " in a minute."
        )
        form.add_error(None, message)
    except erasure.ChoiceMissing:
        message = gettext(
            "Your team has just changed, so nothing was closed. Check the page again."
        )
        form.add_error(None, message)
    return None


@require_read_or_post
def close_business(request: HttpRequest, merchant: str) -> HttpResponseBase:
    """Whoever presses twice has no access any more the second time, and is led to the receipt again."""
    try:
        return _close_business(request, merchant=merchant)
    except Http404:
        user = request.user
        mail = closing.receipt_of(merchant, user) if isinstance(user, User) else None
        if mail is None:
            raise
        return SeeOther(mail.get_absolute_url())


@for_owner
def _close_business(request: Request, membership: Membership) -> HttpResponse:
    """What will happen, and the button; the name of the business is typed to confirm it."""
    merchant = membership.merchant
    form = CloseBusinessForm(merchant, form_data(request))
    if form.is_valid():
        receipt = closing.begin(merchant, by=request.user, request=request)
        return SeeOther(receipt.get_absolute_url() if receipt else "/")
    shops = Connection.objects.filter(account__merchant=merchant, removed_at=None)
    context = {
        "form": form,
        "merchant": merchant,
        "shops": shops.exclude(status=Status.DISCONNECTED).count(),
        "others": merchant.memberships.exclude(pk=membership.pk).count(),
        "days": settings.RETENTION_DAYS,
    }
    status = 422 if form.errors else 200
    return render(request, "onboarding/close_business.html", context, status=status)


@require_read
@never_cache
def receipt(request: HttpRequest, reference: str) -> HttpResponse:
    """What was erased and what is kept. Whoever closed an account is not signed in any more."""
    rows = ClosingMail.objects.filter(kind__in=ClosingMail.RECEIPTS).select_related("merchant")
    mail = get_object_or_404(rows, reference=reference)
    progress = None
    if mail.kind == ClosingMail.Kind.BUSINESS_CLOSED and mail.merchant:
        progress = None if mail.merchant.closed_at else closing.progress(mail.merchant)
    context = {"mail": mail, "receipt": Receipt.of(mail), "progress": progress}
    return render(request, "onboarding/receipt.html", context)
