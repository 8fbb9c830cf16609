"""The user's businesses: which one, and the name of the first."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import get_language

from onboarding import bounds
from onboarding.local_paths import next_path
from onboarding.methods import require_read, require_read_or_post
from onboarding.models import Membership, Merchant, User
from onboarding.people.business_names import suggested_name
from onboarding.people.team import open_invitations
from onboarding.questions import form_data
from onboarding.views.access import Request, memberships, signed_in
from onboarding.views.forms import BusinessForm
from vendors.contract.characters import name_key


@require_read
@signed_in
def shops(request: Request) -> HttpResponse:
    """To the shops of the user's business; with several, they choose one."""
    own = memberships(request.user)
    if not own:
        return redirect("welcome")
    if len(own) == 1:
        return redirect(own[0].merchant)
    rows = [(m.merchant, m.merchant.get_absolute_url()) for m in own]
    return render(request, "onboarding/choose.html", {"rows": rows})


@require_read_or_post
@signed_in
def welcome(request: Request) -> HttpResponse:
    """Ask for the business's name, before the first shop."""
    suggested = {"name": suggested_name(request.user.email)}
    form = BusinessForm(form_data(request), initial=suggested)
    if not form.is_valid():
        context = {
            "form": form,
            "next": next_path(request),
            "open_invitations": open_invitations(request.user),
        }
        return render(request, "onboarding/welcome.html", context)
    merchant = get_or_create_business(request.user, form.cleaned_data["name"]).merchant
    return HttpResponseRedirect(next_path(request) or merchant.get_absolute_url())


@transaction.atomic
def get_or_create_business(user: User, name: str) -> Membership:
    """A business that the user owns. Idempotent: a second press returns the same one."""
    bounds.lock(user)  # two presses may come at once
    for membership in memberships(user):
        if name_key(membership.merchant.name) == name_key(name):
            return membership
    bounds.leave_room_for_business(user)
    merchant = Merchant.objects.create(name=name, language=get_language() or "en")
    return Membership.objects.create(merchant=merchant, user=user, role=Membership.Role.OWNER)
