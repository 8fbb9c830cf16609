"""What a business and a person are called. Vendors know a business by its reference, which stays."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from onboarding.methods import require_read_or_post
from onboarding.models import Membership, Merchant, SecurityEvent, User
from onboarding.monitoring import security_log
from onboarding.questions import form_data
from onboarding.views.access import Request, for_owner, signed_in
from onboarding.views.forms import BusinessNameForm, OwnNameForm
from onboarding.views.vendor_trip.leaving import SeeOther

Kind = SecurityEvent.Kind


@require_read_or_post
@for_owner
def rename_business(request: Request, membership: Membership) -> HttpResponse:
    merchant = membership.merchant
    form = BusinessNameForm(form_data(request), initial={"name": merchant.name})
    if not form.is_valid():
        context = {"form": form, "merchant": merchant}
        return render(request, "onboarding/rename_business.html", context)
    name = form.cleaned_data["name"]
    others = Merchant.objects.filter(pk=merchant.pk, closing_since=None).exclude(name=name)
    if others.update(name=name):
        security_log.record(Kind.BUSINESS_RENAMED, request, merchant=merchant)
        messages.success(request, gettext("Your business is called %(name)s now.") % {"name": name})
    return SeeOther(reverse("team", args=[merchant.reference]))


@require_read_or_post
@signed_in
def own_name(request: Request) -> HttpResponse:
    """How colleagues see the reader, on pages and in mails."""
    form = OwnNameForm(form_data(request), initial={"name": request.user.name})
    if not form.is_valid():
        return render(request, "onboarding/own_name.html", {"form": form})
    name = form.cleaned_data["name"]
    if User.objects.filter(pk=request.user.pk, erased_at=None).exclude(name=name).update(name=name):
        security_log.record(Kind.NAME_CHANGED, request)
        messages.success(request, gettext("Your name was changed."))
    return SeeOther(reverse("mfa_index"))
