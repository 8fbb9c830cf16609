"""Beginning a connection: the page of a platform, which signs in, asks for the business, and says what will
happen; its button redirects to the vendor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django import forms
from django.contrib import messages
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext

from onboarding import journey, registry
from onboarding.availability.breaker import outages
from onboarding.catalogue import any_shop
from onboarding.consent import Words, consent_of, domain
from onboarding.local_paths import local_path
from onboarding.methods import require_read, require_read_or_post
from onboarding.models import Attempt, Connection, Connector, Membership, Merchant, User
from onboarding.models.catalogue import offered
from onboarding.models.memo import opened
from onboarding.notifications import waitlist
from onboarding.people.business_names import suggested_name
from onboarding.people.sign_in import EmailForm
from onboarding.people.team import open_invitations
from onboarding.questions import ANSWER, LONGEST, form_data, plain
from onboarding.views.access import Request, for_member, memberships, to_sign_in
from onboarding.views.forms import ShopForm, business_choice, business_name_field, taken
from onboarding.views.vendor_trip.leaving import leave, may_leave
from vendors.contract import Vendor
from vendors.contract.characters import name_key

from .business import get_or_create_business

MOST_BEGUN = 5  # unfinished shops that the check page lists


@require_read
def go(request: HttpRequest, slug: str) -> HttpResponse:
    """From a connector to the page of its platform, with this way chosen."""
    connector = get_object_or_404(offered(), slug=slug)
    return redirect(_way(connector, _system(request)))


def _system(request: HttpRequest) -> str:
    """The name of a shop system that is not listed, as it was typed in the catalogue."""
    return any_shop.typed(request.GET.get("system", ""))


def connect_platform(request: HttpRequest, connectors: list[Connector]) -> HttpResponseBase:
    """The page of a platform, by one of its connectors: that of `way`, or else the first.

    Whoever has one business goes on to its check page. Here are the sign-in before it and, for those with
    no business or with several, the check page that also asks for which business it is.
    """
    asked = request.GET.get("way")
    connector = next((each for each in connectors if each.slug == asked), connectors[0])
    choice, here = _choice(connector, connectors, _system(request)), _here(request)
    if request.user.is_authenticated:
        return _connect_somewhere(cast("Request", request), choice)
    if request.method == "POST":  # signed out since the page was shown
        return to_sign_in(request, here)
    return _page(request, choice, email_form=EmailForm(), next=here)


def _connect_somewhere(request: Request, choice: Choice) -> HttpResponse:
    """Without a business, or with several: the form asks for it, and one POST begins there."""
    own = memberships(request.user)
    posts = request.method == "POST"
    if len(own) == 1 and not posts:
        return redirect(_check_url(own[0], choice.connector, choice.system))
    form = choice.form(form_data(request), business=_business_field(request.user, own))
    waits = posts and "leave-it" in request.POST
    if form.is_valid() or (waits and "business" not in form.errors):
        membership = _business(request.user, own, form.cleaned_data["business"])
        return (_wait if waits else _check)(request, choice, membership)
    return _page(
        request,
        choice,
        form=form,
        action=_here(request),
        seen=_seen(request, choice, None),
        open_invitations=[] if own else open_invitations(request.user),
    )


def _business_field(user: User, own: list[Membership]) -> forms.Field:
    """With one business the page that was sent is older than it, and asked for a name."""
    if len(own) > 1:
        return business_choice([each.merchant for each in own])
    return business_name_field(suggested_name(user.email))


def _business(user: User, own: list[Membership], answer: str) -> Membership:
    """The chosen business of several, or the one of this name."""
    chosen = next((each for each in own if each.merchant.reference == answer), None)
    return chosen or get_or_create_business(user, answer)


@require_read_or_post
@may_leave
@for_member
def connect(request: Request, membership: Membership, slug: str) -> HttpResponse:
    """The check page: what will happen. The POST begins the connection and redirects to the vendor."""
    return _check(request, _choice_of(slug, _system(request)), membership)


def _check(request: Request, choice: Choice, membership: Membership) -> HttpResponse:
    entry = waitlist.latest_entry(membership, choice.connector)
    typed = (opened(entry.typed) or {}) if entry else {}
    form = choice.form(form_data(request), typed, merchant=membership.merchant)
    if form.is_valid() and (response := _begin(request, choice, membership, form)):
        return response
    on_waitlist = entry is not None and entry.is_waiting
    email = membership.user.email if entry and waitlist.is_promised(entry) else ""
    return _check_page(
        request, choice, membership, form, on_waitlist=on_waitlist, promised_to=email
    )


@require_read_or_post
@may_leave
@for_member
def join_waitlist(request: Request, membership: Membership, slug: str) -> HttpResponse:
    """ "Leave it with us". A GET comes from somebody who had to sign in first: they press again."""
    choice = _choice_of(slug)
    if request.method != "POST":
        return redirect(_check_url(membership, choice.connector))
    return _wait(request, choice, membership)


def _wait(request: Request, choice: Choice, membership: Membership) -> HttpResponse:
    """Save the form's input, valid or not, until the vendor is back."""
    typed = entered(choice.form(request.POST, merchant=membership.merchant))
    if outages([choice.connector.vendor]):
        waitlist.join(membership, choice.connector, typed)
        return redirect(_check_url(membership, choice.connector))
    message = gettext("%(vendor)s is back. You can continue now.")
    messages.success(request, message % {"vendor": choice.vendor.name})
    form = choice.form(None, typed, merchant=membership.merchant)
    return _check_page(request, choice, membership, form)


@dataclass(frozen=True)
class Choice:
    """What somebody wants to connect."""

    connector: Connector
    vendor: Vendor
    others: list[Connector]  # other ways to connect the same platform
    system: str = ""  # of any_shop.py: which one was typed

    @property
    def consent(self) -> Words:
        return consent_of(self.connector, self.vendor)

    def form(
        self,
        data: QueryDict | None,
        typed: Mapping[str, str] | None = None,
        *,
        merchant: Merchant | None = None,
        business: forms.Field | None = None,
    ) -> ShopForm:
        """`merchant`: where the shop is connected; without one, `business` asks for it."""
        asked = (*any_shop.questions(self.connector), *self.vendor.questions(self.connector.key))
        name = any_shop.shop_name(self.connector, self.system)
        return ShopForm(
            [plain(question) for question in asked],
            data,
            {ANSWER + any_shop.QUESTION.key: self.system, **(typed or {})},
            business=business,
            free_name=journey.free_name(merchant, name) if merchant else "",
            asks_address=not self.vendor.tells_address,
        )


def _choice(connector: Connector, connectors: list[Connector], system: str) -> Choice:
    vendor = registry.vendor_of(connector.vendor)
    if vendor is None:
        raise Http404
    others = [each for each in connectors if each != connector]
    return Choice(connector, vendor, others, system)


def _choice_of(slug: str, system: str = "") -> Choice:
    connector = get_object_or_404(offered(), slug=slug)
    return _choice(connector, list(offered().filter(platform=connector.platform)), system)


def _here(request: HttpRequest) -> str:
    """This page with its query, to come back to after the sign-in."""
    return local_path(request.get_full_path()) or request.path


def _way(connector: Connector, system: str = "") -> str:
    """The page of the platform with this way chosen."""
    page = reverse("platform", args=[connector.platform])
    return _with_query(page, way=connector.slug, system=system)


def _check_url(membership: Membership, connector: Connector, system: str = "") -> str:
    page = reverse("connect", args=[membership.merchant.reference, connector.slug])
    return _with_query(page, system=system)


def _with_query(page: str, **params: str) -> str:
    query = urlencode({name: value for name, value in params.items() if value})
    return f"{page}?{query}" if query else page


@dataclass(frozen=True)
class Way:
    """Another way to connect the same platform, and the page where it is chosen."""

    connector: Connector
    vendor_name: str
    url: str


def _ways(choice: Choice, membership: Membership | None) -> list[Way]:
    return [
        Way(
            each,
            registry.vendor_name(each.vendor),
            _check_url(membership, each) if membership else _way(each),
        )
        for each in choice.others
    ]


@dataclass(frozen=True)
class Begun:
    """A shop that the member began and has not connected, and when."""

    connection: Connection
    at: datetime


def _begun(choice: Choice, membership: Membership) -> list[Begun]:
    """The member's unfinished shops of this connector, the newest first."""
    rows = journey.unfinished(membership.merchant, choice.connector, membership.user)
    last = Attempt.objects.filter(connection=OuterRef("pk")).order_by("-pk")
    dated = rows.annotate(begun_at=Subquery(last.values("created")[:1]))
    return [Begun(row, row.begun_at) for row in dated[:MOST_BEGUN]]


def _check_page(
    request: Request,
    choice: Choice,
    membership: Membership,
    form: ShopForm,
    *,
    on_waitlist: bool = False,
    promised_to: str = "",
) -> HttpResponse:
    return _page(
        request,
        choice,
        membership,
        form=form,
        action=_check_url(membership, choice.connector),
        known_account=journey.known_account(membership.merchant, choice.vendor.slug),
        begun=_begun(choice, membership),
        seen=_seen(request, choice, membership.merchant),
        merchant=membership.merchant,
        on_waitlist=on_waitlist,
        promised_to=promised_to,
    )


def _page(
    request: HttpRequest, choice: Choice, membership: Membership | None = None, **state: object
) -> HttpResponse:
    """The page of a choice. `state`: what belongs to whoever looks at it, signed in or not."""
    trouble = outages([choice.connector.vendor]).get(choice.connector.vendor)
    context = {
        "connector": choice.connector,
        "vendor": choice.vendor,
        "consent": choice.consent,
        "domain": domain(choice.vendor),
        "trouble": trouble,
        "wants_mail": bool(trouble) and (membership is None or waitlist.wants_mail(membership)),
        "ways": _ways(choice, membership),
        **state,
    }
    return render(request, "onboarding/connect.html", context)


def _begin(
    request: Request, choice: Choice, membership: Membership, form: ShopForm
) -> HttpResponse | None:
    """None when the merchant has to choose: another name, or which shop is meant."""
    name, another = form.cleaned_data["name"], "another" in request.POST
    if not another and (begun := _begun(choice, membership)):
        same = _same(form, begun)
        if same is None:
            return None
        name = same.name
    agreement = choice.consent.agreed(request.POST.get("consent"), choice.connector)
    if agreement is None:
        form.add_error(None, gettext("What you agree to has changed. Read it, then continue."))
        return None
    try:
        attempt = journey.begin(
            merchant=membership.merchant,
            connector=choice.connector,
            user=request.user,
            name=name,
            default_name=any_shop.shop_name(choice.connector, form.system),
            answers=form.answers,
            address=form.shop_address,
            seen=_seen(request, choice, membership.merchant),
            another=another,
            agreement=agreement,
        )
    except journey.NameTaken:
        form.add_error("name", taken(name))
        return None
    waitlist.leave(membership, choice.connector)
    return leave(request, attempt)


def _seen(request: Request, choice: Choice, merchant: Merchant | None) -> str:
    """What the form says that its page knew; of a page that is shown now, what it knows."""
    newest = journey.newest_begun(merchant, choice.connector, request.user)
    return request.POST.get("seen", newest)


def _same(form: ShopForm, begun: list[Begun]) -> Connection | None:
    """The newest of these shops with the answers of the form and its name, if it has one."""
    key = name_key(form.cleaned_data["name"])
    rows = [each.connection for each in begun]
    named = [row for row in rows if not key or name_key(row.name) == key]
    return next((row for row in named if opened(row.answers) == form.answers), None)


def entered(form: ShopForm) -> dict[str, str]:
    """The form's input by field name, valid or not, without secrets."""
    secret = {
        name for name, field in form.fields.items() if isinstance(field.widget, forms.PasswordInput)
    }
    typed = {name: form.data.get(name, "")[:LONGEST] for name in form.fields.keys() - secret}
    return {name: value for name, value in typed.items() if value}
