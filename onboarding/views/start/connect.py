"""Towards a new connection: which business, check before you leave, and off to the vendor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.forms import PasswordInput
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_GET, require_http_methods

from onboarding import journey, registry
from onboarding.availability.breaker import outages
from onboarding.models import Connector, Membership, Merchant, User
from onboarding.models.catalogue import offered
from onboarding.models.memo import opened
from onboarding.notifications import waitlist
from onboarding.people.team import open_invitations
from onboarding.questions import LONGEST, form_data, plain
from onboarding.views.access import Request, for_member, memberships, signed_in
from onboarding.views.forms import BusinessForm, ShopForm, taken
from onboarding.views.vendor_trip.leaving import leave, may_leave
from vendors.contract import Vendor


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
    form = BusinessForm(form_data(request))
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
    choice = _choice(membership, slug)
    left = waitlist.latest_entry(membership, choice.connector)
    form = choice.form(form_data(request), (opened(left.typed) or {}) if left else {})
    if form.is_valid() and (gone := _begin(request.user, choice, form)):
        return gone
    return _page(request, choice, form, waits=left is not None and left.mailed is None)


@require_http_methods(["GET", "POST"])
@may_leave
@for_member
def leave_it(request: Request, membership: Membership, slug: str) -> HttpResponse:
    """ "Leave it with us": kept as it was typed, right or wrong, until the vendor is back.

    A GET is somebody who had to sign in first: they press the button again.
    """
    choice = _choice(membership, slug)
    page = redirect("connect", merchant=membership.merchant.reference, slug=slug)
    if request.method == "GET":
        return page
    typed = kept(choice.form(request.POST, {}))
    if outages([choice.connector.vendor]):
        waitlist.join(membership, choice.connector, typed)
        return page
    said = gettext("%(vendor)s is answering again. You can go on now.")
    messages.success(request, said % {"vendor": choice.vendor.name})
    return _page(request, choice, choice.form(None, typed))


@dataclass(frozen=True)
class Choice:
    """What a member wants to connect, for which business."""

    membership: Membership
    connector: Connector
    vendor: Vendor

    def form(self, data: QueryDict | None, typed: Mapping[str, str]) -> ShopForm:
        questions = [plain(question) for question in self.vendor.questions(self.connector.key)]
        name = journey.free_name(self.membership.merchant, str(self.connector))
        return ShopForm(questions, data, initial={"name": name, **typed})


def _choice(membership: Membership, slug: str) -> Choice:
    connector = offered().filter(slug=slug).first()
    vendor = registry.vendor_of(connector.vendor) if connector else None
    if connector is None or vendor is None:
        raise Http404
    return Choice(membership, connector, vendor)


def _page(request: Request, choice: Choice, form: ShopForm, *, waits: bool = False) -> HttpResponse:
    """`waits`: they have left it with us, and no mail has come yet."""
    context = {
        "form": form,
        "merchant": choice.membership.merchant,
        "connector": choice.connector,
        "vendor": choice.vendor,
        "domain": domain(choice.vendor),
        "trouble": outages([choice.connector.vendor]).get(choice.connector.vendor),
        "waits": waits,
    }
    return render(request, "onboarding/connect.html", context)


def _begin(user: User, choice: Choice, form: ShopForm) -> HttpResponse | None:
    mine, name = choice.membership, form.cleaned_data["name"]
    try:
        attempt = journey.begin(
            merchant=mine.merchant,
            connector=choice.connector,
            user=user,
            name=name,
            answers=form.answers,
        )
    except journey.NameTaken:
        form.add_error("name", taken(name))
        return None
    waitlist.leave(mine, choice.connector)
    return leave(attempt, user)


def kept(form: ShopForm) -> dict[str, str]:
    """What was typed, right or wrong, by the names of the fields; no secret."""
    secret = {
        name for name, field in form.fields.items() if isinstance(field.widget, PasswordInput)
    }
    typed = {name: form.data.get(name, "")[:LONGEST] for name in form.fields.keys() - secret}
    return {name: said for name, said in typed.items() if said}


def domain(vendor: Vendor) -> str:
    """The domain that opens, as it stands in the address bar; empty where the merchant stays here."""
    hosts = vendor.domains() if vendor.opens_vendor_pages else ()
    return next((host.lstrip(".") for host in hosts), "")
