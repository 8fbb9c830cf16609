"""`python -m tests.shots.world`, run in the environment of a site, makes rows for every page and every state.

It prints JSON: the sessions of those who look, and the pages. A page is found by the names of addresses and
rows, never by words, so that words may change.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from onboarding.models import Attempt
    from tests.support.scripted import Scripted

SHOPS = "itembase"  # the vendor of the shops in all their states
LINK = "https://vendor.example/open?token=1"


@dataclass(frozen=True)
class Page:
    """`who` looks at it: "nobody"; "mia", who has shops; "new", who has no business; "partner", who has two;
    "staff". At the vendors' imitations it does not matter. `behind`: the page with the button that opens it,
    for what only answers a POST.
    """

    name: str
    path: str
    who: str = "mia"
    behind: str = ""


def main() -> None:
    from django.conf import settings

    from onboarding.catalogue import refresh
    from tests.contract.row import contracts

    for vendor in settings.VENDORS.offered.values():
        refresh.refresh_catalogue(vendor)
    for contract in contracts().values():
        contract.ready()
    sys.stdout.write(json.dumps(build()))


def build() -> dict[str, Any]:
    from onboarding.management.commands.staff import make_staff
    from tests.support.outages import begin_outage
    from tests.support.people import business, everybody, person

    people = everybody()
    staff = make_staff("erin@example.org")
    newcomer, partner = person("nora@example.org", ""), person("pia@example.org", "Pia")
    business("Pia’s Posters", owner=partner)
    business("Pia’s Pens", owner=partner)
    pages = [
        *public_pages(),
        *newcomers_pages(),
        *check_pages(people),
        *attempt_pages(people),
        *shop_pages(people),
        *vendor_pages(people),
        *other_pages(people, staff),
    ]
    begin_outage(vendor="celigo")  # one of the vendors does not answer
    own = {"mia": people.alice, "new": newcomer, "partner": partner, "staff": staff}
    cookies = {"nobody": "", **{who: session(user) for who, user in own.items()}}
    return {"cookies": cookies, "pages": [asdict(page) for page in pages]}


def session(user: Any) -> str:
    """The key of a session of somebody who has just signed in, so that no page asks “Is it still you?”."""
    from django.test import Client
    from django.utils import timezone

    client = Client()
    client.force_login(user)
    store = client.session
    at = timezone.now().timestamp()
    store["account_authentication_methods"] = [{"method": "code", "at": at, "email": user.email}]
    store.save()
    return client.cookies["gangway_session"].value


# -- before there is a shop ------------------------------------------------------------------------


def public_pages() -> Iterator[Page]:
    from django.urls import reverse

    from onboarding.models import Connector

    yield Page("start", reverse("start"), "nobody")
    yield Page("catalogue", reverse("catalogue"), "nobody")
    yield Page("catalogue-found", reverse("catalogue") + "?q=shop", "nobody")
    yield Page("catalogue-guess", reverse("catalogue") + "?q=shopfy", "nobody")
    yield Page("catalogue-nothing", reverse("catalogue") + "?q=zzzz", "nobody")
    yield from asking_pages()
    for platform in sorted({*Connector.objects.values_list("platform", flat=True)}):
        yield Page(f"platform-{platform}", reverse("platform", args=[platform]), "nobody")
    yield Page("platform-unknown", "/connect/unknown/", "nobody")
    yield Page("ask", reverse("ask") + "?name=Zencart", "nobody")
    for name in ("account_login", "account_login_password", "account_reset_password"):
        yield Page(name, reverse(name), "nobody")
    yield Page("error-404", "/nowhere/", "nobody")
    yield Page("error-400", "/?q=%00", "nobody")
    yield Page("error-405", "/accounts/2fa/webauthn/reauthenticate/", "nobody")
    yield Page("return-lost", "/return/itembase/lost/", "nobody")


def asking_pages() -> Iterator[Page]:
    """Requests for a shop system: one that is not offered, which others wanted too, and one that is."""
    from django.urls import reverse

    from onboarding.catalogue import requests

    for name in ("anna", "bert", "carl"):
        requests.ask("Basket King", f"{name}@example.org", "Norway")
    for name, wanted in (("others", "Basket King"), ("offered", "Shopify")):
        yield Page(f"ask-{name}", reverse("ask") + f"?name={wanted}", "nobody")
    yield Page("catalogue-asked", reverse("catalogue") + "?q=Basket King", "nobody")


def newcomers_pages() -> Iterator[Page]:
    """The page of a platform asks for the business, whoever has none and whoever has several."""
    from django.urls import reverse

    for platform in ("ebay", "capillary"):
        yield Page(f"check-new-{platform}", reverse("platform", args=[platform]), "new")
    yield Page("check-choice", reverse("platform", args=["ebay"]), "partner")
    yield Page("welcome", reverse("welcome"), "new")
    yield Page("choose", reverse("shops"), "partner")


def check_pages(people: Any) -> Iterator[Page]:
    """The page to check before one leaves: one connector of each vendor."""
    from django.urls import reverse

    from onboarding.models import Connector

    for vendor, slug in first_of_each_vendor(Connector.objects.order_by("position", "slug")):
        yield Page(f"check-{vendor}", reverse("connect", args=[people.acme.reference, slug]))


def first_of_each_vendor(connectors: Any) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for connector in connectors.filter(visible=True, gone=None):
        found.setdefault(connector.vendor, connector.slug)
    return sorted(found.items())


# -- an attempt in each state ----------------------------------------------------------------------


def attempt_pages(people: Any) -> Iterator[Page]:
    """An attempt for each answer that a vendor may give."""
    from tests.support.attempts import run_step

    for name, answers in answers_by_state().items():
        with fake(SHOPS) as vendor:
            attempt = begin(people, SHOPS, name)
            for answer in answers:
                run_step(attempt, vendor, answer)
        yield Page(f"attempt-{name}", attempt.get_absolute_url())
    yield from altered_attempts(people)


def answers_by_state() -> dict[str, list[Any]]:
    from tests.support.attempts import CONNECTED
    from vendors.contract import (
        Ask,
        Connected,
        Declined,
        NeedsMerchant,
        Question,
        Redirect,
        Refused,
        StartOver,
        Unavailable,
        Waiting,
        text,
    )

    note = text("The vendor says what it says in this place, in a sentence or two.")
    minutes, days = timedelta(minutes=2), timedelta(days=1)
    choices = (("a", text("eBay shop of today")), ("b", text("eBay shop of yesterday")))
    store = Question(key="store", label=text("Which eBay shop?"), choices=choices)
    later = Waiting(note=note, poll_every=minutes, give_up_after=days)
    return {
        "ready": [Redirect(url="")],
        "at-vendor": [Redirect(url=LINK)],
        "beside": [Redirect(url=LINK, returns=False)],
        "waiting": [later],
        "asking": [Ask(note=note, questions=(store,))],
        "needs": [NeedsMerchant(code="app", note=note, link="https://app.example/")],
        "needs-answers": [NeedsMerchant(code="none", note=note, questions=(store,))],
        "goes-on": [NeedsMerchant(code="go", note=note, goes_on=True)],
        "declined": [Declined()],
        "start-over": [StartOver(note=note)],
        "refused": [Refused(who="merchant")],
        "staff": [Refused(who="staff")],
        "down": [Unavailable()],
        "connected": [CONNECTED],
        "reported": [Connected(shop_id="shop-2", evidence=note, confirmed=False)],
        "secrets": [
            Connected(shop_id="shop-3", evidence=note, reveal={"Key": "k-123", "Secret": "s-456"})
        ],
    }


def altered_attempts(people: Any) -> Iterator[Page]:
    """What no single answer leads to: our own work, other endings, another shop than was meant."""
    from django.utils import timezone

    from onboarding import journey
    from onboarding.models import Attempt, Connection, Hop
    from tests.support.attempts import CONNECTED, run_step

    now = timezone.now()
    Hop.objects.filter(minted__isnull=False).update(taken=now + timedelta(minutes=1))
    states: dict[str, dict[str, Any]] = {
        "preparing": {"answer": "progress", "turn": "us", "status": "in_progress", "due_at": now},
        "replaced": {"ending": "replaced", "ended": now, "due_at": None},
        "unreadable": {"answer": "unreadable", "turn": "merchant", "due_at": None},
        "on-it": {"answer": "garbled", "turn": "staff", "due_at": None},
    }
    for name, row in states.items():
        attempt = begin(people, SHOPS, name)
        Attempt.objects.filter(pk=attempt.pk).update(**row)
        yield Page(f"attempt-{name}", attempt.get_absolute_url())
    late = begin(people, SHOPS, "expired")
    Attempt.objects.filter(pk=late.pk).update(deadline=now, due_at=now)
    journey.advance(late.pk, present=True)
    yield Page("attempt-expired", late.get_absolute_url())
    with fake(SHOPS) as vendor:
        run_step(begin(people, SHOPS, "doubt"), vendor, another(CONNECTED, "shop-4"))
        again = journey.reconnect(Connection.objects.get(name="doubt"), people.alice)
        run_step(again, vendor, another(CONNECTED, "shop-5"))
    yield Page("attempt-another-shop", again.get_absolute_url())


def another(connected: Any, shop: str) -> Any:
    from dataclasses import replace

    return replace(connected, shop_id=shop)


def begin(people: Any, vendor: str, name: str) -> Attempt:
    """Begun as the check page does it: with an address, and with what was agreed to."""
    from django.conf import settings

    from onboarding import journey
    from onboarding.consent import consent_of
    from onboarding.models import Connector

    found = Connector.objects.filter(vendor=vendor, visible=True, gone=None)
    connector = found.order_by("position", "slug")[0]
    words = consent_of(connector, settings.VENDORS.offered[vendor])
    return journey.begin(
        merchant=people.acme,
        connector=connector,
        user=people.alice,
        name=name,
        answers={},
        address=f"{name}.example.com",
        another=True,
        agreement=words.agreed(None, connector),
    )


def fake(slug: str) -> Any:
    """While it is entered, scripted answers take the place of this vendor's."""
    from contextlib import contextmanager

    from django.conf import settings
    from django.test import override_settings

    from tests.support.scripted import Scripted, offered

    real = settings.VENDORS.offered[slug]
    words = {
        "slug": slug,
        "name": real.name,
        "checklist": real.checklist,
        "creations": real.creations,
    }

    @contextmanager
    def entered() -> Iterator[Scripted]:
        vendor = type("Fake", (Scripted,), words)()
        with override_settings(VENDORS=offered(vendor)):
            yield vendor

    return entered()


# -- shops, the vendors' own pages, and everything else ----------------------------------------------


def shop_pages(people: Any) -> Iterator[Page]:
    """A shop's page in each status, and the pages behind its buttons."""
    from django.urls import reverse

    from onboarding.models import Connection
    from onboarding.models.status import Status

    pages = ("disconnect", "pause", "rename", "shop-receipt")
    for shop in Connection.objects.order_by("pk"):
        yield Page(f"shop-{shop.name}", shop.get_absolute_url())
    shop = Connection.objects.get(name="connected")
    args = [people.acme.reference, shop.reference]
    yield from (Page(f"shop-{name}", reverse(name, args=args)) for name in pages)
    for status in (Status.PAUSED, Status.DISCONNECTED):
        gone = shop_like(shop, status)
        yield Page(f"shop-{status}", gone.get_absolute_url())
    args = [people.acme.reference, gone.reference]
    yield Page("shop-remove", reverse("remove", args=args))
    secrets = Connection.objects.get(name="secrets")
    path = reverse("reveal", args=[people.acme.reference, secrets.reference])
    yield Page("shop-reveal", path, behind=secrets.get_absolute_url())


def shop_like(shop: Any, status: Any, name: str = "") -> Any:
    from onboarding.models import Connection

    made = Connection.objects.get(pk=shop.pk)
    made.pk, made.name = None, name or str(status)
    made.reference = Connection._meta.get_field("reference").get_default()
    made.shop_id, made.status, made.task = f"shop-{status}", status, ""
    made.save(force_insert=True)
    return made


def vendor_pages(people: Any) -> Iterator[Page]:
    """The imitations: what a merchant sees first at each vendor."""
    from django.conf import settings
    from django.urls import reverse

    from onboarding import journey
    from onboarding.models import Attempt, Hop
    from onboarding.models.memo import readable
    from onboarding.models.status import Status

    for slug in settings.VENDORS.offered:
        attempt = begin(people, slug, f"at-{slug}")
        for _ in range(8):
            journey.advance(attempt.pk, present=True)
        if slug == "sharespine":  # it pauses
            working = shop_like(attempt.connection, Status.CONNECTED, "to-pause")
            args = [people.acme.reference, working.reference]
            yield Page("shop-pause", reverse("pause", args=args))
        yield Page(f"attempt-at-{slug}", Attempt.objects.get(pk=attempt.pk).get_absolute_url())
        for hop in Hop.objects.filter(attempt=attempt).exclude(url=None)[:1]:
            yield Page(f"vendor-{slug}", str(readable(hop.url)), "nobody")


def other_pages(people: Any, staff: Any) -> Iterator[Page]:
    """A page for each other address of the site, found in its URL patterns."""
    from django.conf import settings
    from django.contrib.auth.models import Group

    from onboarding.models import Alert, Connector, ConnectorRequest, MailGroup, WaitlistEntry
    from onboarding.notifications import choices
    from tests.support import site_map

    connector = Connector.objects.order_by("pk")[0]
    people.acme.invitations.create(email="dora@example.org", invited_by=people.alice)
    WaitlistEntry.objects.create(user=people.bob, merchant=people.acme, connector=connector)
    ConnectorRequest.objects.create(name="Zencart", key="zencart", email="dora@example.org")
    Alert.objects.create(vendor=SHOPS, cause="garbled")
    Group.objects.create(name="Readers")
    link = choices.link(people.alice, people.acme, MailGroup.TURN)
    yield Page("mails-by-link", link.removeprefix(settings.SITE_URL), "nobody")
    world = site_map.World(people, staff)
    for path in site_map.addresses(world, "staff", rows=1):
        # Whoever looks at these pages is still signed in afterwards.
        if not re.search(r"logout|/status/$|/history/$|jsi18n|/autocomplete/", path):
            who = "staff" if path.startswith("/admin/") else "mia"
            yield Page(re.sub(r"\W+", "-", path).strip("-") or "start-signed-in", path, who)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onboarding.settings")
    django.setup()
    main()
