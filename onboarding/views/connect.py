"""Towards a new connection: which business, check before you leave, and off to the vendor."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_http_methods

from vendors.contract import Vendor

from .. import journey
from ..forms import BusinessForm, ShopForm, taken
from ..journey import orders
from ..journey.outcomes import plain
from ..models import Connector, Membership, Merchant, User
from ..team import open_invitations
from .access import Request, for_member, memberships, posted, signed_in
from .catalogue import offered
from .leaving import leave, may_leave


@require_GET
@signed_in
def go(request: Request, slug: str) -> HttpResponse:
    """From a connector to the check page of the visitor's business."""
    mine = memberships(request.user)
    if not mine:
        return redirect(f"{reverse('welcome')}?{urlencode({'next': request.path})}")
    if len(mine) == 1:
        return redirect("connect", merchant=mine[0].merchant.reference, slug=slug)
    rows = [(m.merchant, reverse("connect", args=[m.merchant.reference, slug])) for m in mine]
    return render(request, "onboarding/choose.html", {"rows": rows, "connecting": True})


@require_GET
@signed_in
def shops(request: Request) -> HttpResponse:
    """To the visitor's shops, whichever business is theirs."""
    mine = memberships(request.user)
    if not mine:
        return redirect("welcome")
    if len(mine) == 1:
        return redirect(mine[0].merchant)
    rows = [(m.merchant, m.merchant.get_absolute_url()) for m in mine]
    return render(request, "onboarding/choose.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@signed_in
def welcome(request: Request) -> HttpResponse:
    """The one question before the first shop."""
    form = BusinessForm(posted(request))
    if not form.is_valid():
        context = {
            "form": form,
            "next": request.GET.get("next", ""),
            "open_invitations": open_invitations(request.user),
        }
        return render(request, "onboarding/welcome.html", context)
    merchant = _business(request.user, form.cleaned_data["name"])
    target = request.POST.get("next", "")
    return redirect(target if get_adapter().is_safe_url(target) else merchant)


def _business(user: User, name: str) -> Merchant:
    """A new merchant that the user owns; pressed twice, the same one."""
    for mine in memberships(user):
        if mine.merchant.name == name:
            return mine.merchant
    merchant = Merchant.objects.create(name=name, language=get_language() or "en")
    Membership.objects.create(merchant=merchant, user=user, role=Membership.Role.OWNER)
    return merchant


@require_http_methods(["GET", "POST"])
@may_leave
@for_member
def connect(request: Request, membership: Membership, slug: str) -> HttpResponse:
    """Check before you leave; the POST begins the connection and leaves."""
    connector = offered().filter(slug=slug).first()
    vendor = orders.vendor_of(connector.vendor) if connector else None
    if connector is None or vendor is None:
        raise Http404
    merchant = membership.merchant
    questions = [plain(question) for question in vendor.questions(connector.key)]
    form = ShopForm(
        questions, posted(request), initial={"name": journey.free_name(merchant, str(connector))}
    )
    if form.is_valid() and (left := _begin(request.user, merchant, connector, form)):
        return left
    context = {"form": form, "merchant": merchant, "connector": connector, "vendor": vendor}
    return render(request, "onboarding/connect.html", {**context, "domain": domain(vendor)})


def _begin(
    user: User, merchant: Merchant, connector: Connector, form: ShopForm
) -> HttpResponse | None:
    name = form.cleaned_data["name"]
    try:
        attempt = journey.begin(
            merchant=merchant, connector=connector, user=user, name=name, answers=form.answers
        )
    except journey.NameTaken:
        form.add_error("name", taken(name))
        return None
    return leave(attempt, user)


def domain(vendor: Vendor) -> str:
    """The domain that opens, as it stands in the address bar; empty where the merchant stays here."""
    hosts = vendor.domains() if vendor.leaves else ()
    return next((host.lstrip(".") for host in hosts), "")
