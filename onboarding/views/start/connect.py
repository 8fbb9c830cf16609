"""Beginning a connection: choose the business, check before you leave, redirect to the vendor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.forms import PasswordInput
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language, gettext

from onboarding import bounds, journey, registry
from onboarding.availability.breaker import outages
from onboarding.catalogue import any_shop
from onboarding.local_paths import next_path
from onboarding.methods import require_read, require_read_or_post
from onboarding.models import Attempt, Connection, Connector, Membership, Merchant, User
from onboarding.models.catalogue import offered
from onboarding.models.memo import opened
from onboarding.models.outbox import MailState
from onboarding.notifications import waitlist
from onboarding.people.team import open_invitations
from onboarding.questions import ANSWER, LONGEST, form_data, plain
from onboarding.views.access import Request, for_member, memberships, signed_in
from onboarding.views.forms import BusinessForm, ShopForm, taken
from onboarding.views.vendor_trip.leaving import leave, may_leave
from vendors.contract import Vendor
from vendors.contract.characters import name_key

MOST_BEGUN = 5  # unfinished shops that the check page lists


@require_read
@signed_in
def choose_business(request: Request, slug: str) -> HttpResponse:
    """From a connector to the check page of the user's business; with several, they choose one."""
    own = memberships(request.user)
    if not own:
        return redirect(f"{reverse('welcome')}?{urlencode({'next': request.get_full_path()})}")
    rows = [(m.merchant, _check_page(request, m.merchant, slug)) for m in own]
    if len(rows) == 1:
        return redirect(rows[0][1])
    return render(request, "onboarding/choose.html", {"rows": rows, "connecting": True})


def _check_page(request: Request, merchant: Merchant, slug: str) -> str:
    """Its address, with the shop system that was typed before."""
    page, system = reverse("connect", args=[merchant.reference, slug]), _system(request)
    return f"{page}?{urlencode({'system': system})}" if system else page


def _system(request: Request) -> str:
    return any_shop.typed(request.GET.get("system", ""))


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
    form = BusinessForm(form_data(request))
    if not form.is_valid():
        context = {
            "form": form,
            "next": next_path(request),
            "open_invitations": open_invitations(request.user),
        }
        return render(request, "onboarding/welcome.html", context)
    merchant = _get_or_create_business(request.user, form.cleaned_data["name"])
    return HttpResponseRedirect(next_path(request) or merchant.get_absolute_url())


@transaction.atomic
def _get_or_create_business(user: User, name: str) -> Merchant:
    """A merchant that the user owns. Idempotent: a second press returns the same one."""
    bounds.lock(user)  # two presses may come at once
    for membership in memberships(user):
        if name_key(membership.merchant.name) == name_key(name):
            return membership.merchant
    bounds.leave_room_for_business(user)
    merchant = Merchant.objects.create(name=name, language=get_language() or "en")
    Membership.objects.create(merchant=merchant, user=user, role=Membership.Role.OWNER)
    return merchant


@require_read_or_post
@may_leave
@for_member
def connect(request: Request, membership: Membership, slug: str) -> HttpResponse:
    """The check page: what will happen. The POST begins the connection and redirects to the vendor."""
    choice = _choice(membership, slug)
    entry = waitlist.latest_entry(membership, choice.connector)
    typed = (opened(entry.typed) or {}) if entry else {}
    form = choice.form(form_data(request), typed, _system(request))
    if form.is_valid() and (response := _begin(request, choice, form)):
        return response
    on_waitlist = entry is not None and entry.mail_state == MailState.WAITING
    return _page(request, choice, form, on_waitlist=on_waitlist)


@require_read_or_post
@may_leave
@for_member
def join_waitlist(request: Request, membership: Membership, slug: str) -> HttpResponse:
    """ "Leave it with us": save the form's input, valid or not, until the vendor is back.

    A GET comes from somebody who had to sign in first: they press the button again.
    """
    choice = _choice(membership, slug)
    page = redirect("connect", merchant=membership.merchant.reference, slug=slug)
    if request.method != "POST":
        return page
    typed = entered(choice.form(request.POST, {}))
    if outages([choice.connector.vendor]):
        waitlist.join(membership, choice.connector, typed)
        return page
    message = gettext("%(vendor)s is answering again. You can go on now.")
    messages.success(request, message % {"vendor": choice.vendor.name})
    return _page(request, choice, choice.form(None, typed))


@dataclass(frozen=True)
class Choice:
    """What a member wants to connect, for which business."""

    membership: Membership
    connector: Connector
    vendor: Vendor

    def form(self, data: QueryDict | None, typed: Mapping[str, str], system: str = "") -> ShopForm:
        """`system`: the name of a shop system that is not listed, as it was typed in the catalogue."""
        asked = (*any_shop.questions(self.connector), *self.vendor.questions(self.connector.key))
        name = journey.free_name(
            self.membership.merchant, any_shop.shop_name(self.connector, system)
        )
        initial = {"name": name, ANSWER + any_shop.QUESTION.key: system, **typed}
        return ShopForm([plain(question) for question in asked], data, initial=initial)


def _choice(membership: Membership, slug: str) -> Choice:
    connector = offered().filter(slug=slug).first()
    vendor = registry.vendor_of(connector.vendor) if connector else None
    if connector is None or vendor is None:
        raise Http404
    return Choice(membership, connector, vendor)


@dataclass(frozen=True)
class Begun:
    """A shop that the member began and has not connected, and when."""

    connection: Connection
    at: datetime


def _begun(choice: Choice) -> list[Begun]:
    """The member's unfinished shops of this connector, the newest first."""
    membership = choice.membership
    rows = journey.unfinished(membership.merchant, choice.connector, membership.user)
    last = Attempt.objects.filter(connection=OuterRef("pk")).order_by("-pk")
    dated = rows.annotate(begun_at=Subquery(last.values("created")[:1]))
    return [Begun(row, row.begun_at) for row in dated[:MOST_BEGUN]]


def _page(
    request: Request, choice: Choice, form: ShopForm, *, on_waitlist: bool = False
) -> HttpResponse:
    membership = choice.membership
    newest = journey.newest_begun(membership.merchant, choice.connector, membership.user)
    context = {
        "form": form,
        "begun": _begun(choice),
        "seen": request.POST.get("seen", newest),
        "merchant": membership.merchant,
        "connector": choice.connector,
        "vendor": choice.vendor,
        "domain": domain(choice.vendor),
        "trouble": outages([choice.connector.vendor]).get(choice.connector.vendor),
        "on_waitlist": on_waitlist,
    }
    return render(request, "onboarding/connect.html", context)


def _begin(request: Request, choice: Choice, form: ShopForm) -> HttpResponse | None:
    """None when the merchant has to choose: another name, or which shop is meant."""
    membership, name = choice.membership, form.cleaned_data["name"]
    another = "another" in request.POST
    if not another and _differs(form, _begun(choice)):
        return None
    newest = journey.newest_begun(membership.merchant, choice.connector, request.user)
    try:
        attempt = journey.begin(
            merchant=membership.merchant,
            connector=choice.connector,
            user=request.user,
            name=name,
            answers=form.answers,
            seen=request.POST.get("seen", newest),
            another=another,
        )
    except journey.NameTaken:
        form.add_error("name", taken(name))
        return None
    waitlist.leave(membership, choice.connector)
    return leave(request, attempt)


def _differs(form: ShopForm, begun: list[Begun]) -> bool:
    """Whether shops were begun before, and none with this name and these answers."""
    key = name_key(form.cleaned_data["name"])
    same_name = [each.connection for each in begun if name_key(each.connection.name) == key]
    return bool(begun) and not any(opened(row.answers) == form.answers for row in same_name)


def entered(form: ShopForm) -> dict[str, str]:
    """The form's input by field name, valid or not, without secrets."""
    secret = {
        name for name, field in form.fields.items() if isinstance(field.widget, PasswordInput)
    }
    typed = {name: form.data.get(name, "")[:LONGEST] for name in form.fields.keys() - secret}
    return {name: value for name, value in typed.items() if value}


def domain(vendor: Vendor) -> str:
    """The vendor's domain, as the address bar will show it; "" where the merchant stays on this site."""
    hosts = vendor.domains() if vendor.opens != "nothing" else ()
    return next((host.lstrip(".") for host in hosts), "")
