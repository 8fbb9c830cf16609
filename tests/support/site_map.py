"""Every address and every form of the site, found in its URL patterns and on its pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from itertools import product
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.contrib import admin
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse
from django.urls.resolvers import RoutePattern

from onboarding import journey
from onboarding.management.commands.staff import make_staff
from onboarding.models import (
    Account,
    Agreement,
    Alert,
    Attempt,
    Connection,
    Connector,
    ConnectorRequest,
    Consent,
    User,
    WaitlistEntry,
)
from tests.support.attempts import CONNECTED, WAIT, begin_attempt, run_step
from tests.support.people import People, connector
from tests.support.scripted import Configurable
from vendors.contract import (
    Action,
    Ask,
    Done,
    NeedsMerchant,
    Order,
    Question,
    Rows,
    Step,
    text,
)

TOWN = Question(key="town", label=text("Town"), required=False)
COLOUR = Question(
    key="colour", label=text("Colour"), choices=(("red", text("Red")), ("blue", text("Blue")))
)
PASSWORD = Question(key="password", label=text("Password"), secret=True, required=False)
ASKS = (TOWN, COLOUR, PASSWORD)


@dataclass(frozen=True)
class Obliging(Configurable):
    """A vendor that asks something everywhere, and goes on working whatever it is told."""

    def questions(self, connector: str) -> tuple[Question, ...]:
        return ASKS

    def staff_questions(self) -> tuple[Question, ...]:
        return ASKS

    def connector_questions(self, connector: str) -> tuple[Question, ...]:
        return ASKS

    def actions(self) -> tuple[Action, ...]:
        say = text("It is turned.")
        turn = Action(key="turn", label=text("Turn"), explain=say, questions=ASKS)
        return (
            replace(turn, who="merchant", on="connection"),
            replace(turn, key="turn-c", on="connection"),
            replace(turn, key="turn-a", on="account"),
            replace(turn, key="turn-v", on="vendor"),
            replace(turn, key="turn-x", on="connector"),
        )

    def run(
        self, key: str, answers: Any, *, connector: str = "", ids: tuple[str, ...] = ()
    ) -> Done | Rows:
        return Done(here=text("Done."), there=text("Done there."))

    def _next(self, call: str, order: Order, argument: Any = None) -> Step:
        return super()._next(call, order, argument) if self.script else WAIT


@dataclass(frozen=True)
class World:
    """Rows for every page, and who looks at them."""

    people: People
    staff: User

    @property
    def visitors(self) -> dict[str, User | None]:
        return {"nobody": None, "alice": self.people.alice, "staff": self.staff}


def build(people: People, vendor: Obliging) -> World:
    """Alice's shops: one connected, with secrets; one that asks; one that became another shop."""
    answers: dict[str, Step] = {
        "Connected": CONNECTED,
        "Asks": Ask(note=text("Which?"), questions=ASKS),
        "Lost": NeedsMerchant(code="none", note=text("Not found."), questions=(TOWN,)),
        "Doubt": replace(CONNECTED, shop_id="shop-2"),
    }
    for name, answer in answers.items():
        run_step(begin_attempt(people, name), vendor, answer)
    doubt = Connection.objects.get(name="Doubt")
    run_step(journey.reconnect(doubt, people.alice), vendor, replace(CONNECTED, shop_id="shop-3"))
    Connection.objects.filter(name="Connected").update(reveal={"Key": "k"}, task="Call them.")
    Account.objects.update(unsure="room")
    first = Attempt.objects.filter(connection__name="Connected").earliest("pk")
    Consent.record(first, Agreement({}, "1", "en", {"vendor": {"name": "Scripted"}}))
    people.acme.invitations.create(email="dora@example.org", invited_by=people.alice)
    WaitlistEntry.objects.create(
        user=people.bob, merchant=people.acme, connector=connector(vendor.slug, "other")
    )
    ConnectorRequest.objects.create(name="Oxid", key="oxid", email="dora@example.org")
    Alert.objects.create(vendor=vendor.slug, cause="garbled")
    Group.objects.create(name="Readers")
    return World(people, make_staff("erin@example.org"))


# -- addresses -----------------------------------------------------------------------------------


def addresses(world: World, visitor: str = "staff", *, rows: int = 9) -> list[str]:
    """A path for each URL pattern that answers this visitor, for as many rows as there are (up to `rows`).

    `nobody` and Alice are led away from the admin, and all but Alice from her business.
    """
    app_list = reverse("admin:app_list", args=["onboarding"])
    found = [path for route in routes(get_resolver()) for path in _filled(world, route, rows)]
    elsewhere = {"nobody": ("/admin/", "/m/"), "alice": ("/admin/",), "staff": ()}[visitor]
    return [path for path in dict.fromkeys([*found, app_list]) if not path.startswith(elsewhere)]


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for each in resolver.url_patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from routes(each, route)
        elif isinstance(each, URLPattern) and isinstance(each.pattern, RoutePattern):
            yield route


def _filled(world: World, route: str, rows: int) -> Iterator[str]:
    names = re.findall(r"<(?:\w+:)?(\w+)>", route)
    for values in product(*(_values(world, route, name)[:rows] for name in names)):
        path = route
        for value in values:
            path = re.sub(r"<(?:\w+:)?\w+>", str(value), path, count=1)
        yield f"/{path}"


def _values(world: World, route: str, name: str) -> list[object]:
    """What stands for this part of a route: the row that its pages need, or one that is there."""
    model = next((m for m in admin.site._registry if f"/{m._meta.model_name}/" in route), None)
    acme = world.people.acme
    references: dict[str, list[object]] = {
        "merchant": [acme.reference],
        "slug": [*Connector.objects.values_list("slug", flat=True)[:1]],
        "platform": ["shop", "unknown"],
        "vendor": ["scripted"],
        "member": [*acme.memberships.order_by("-role").values_list("pk", flat=True)],
        "invitation": [*acme.invitations.values_list("reference", flat=True)],
        "consent": [*Consent.objects.values_list("reference", flat=True)],
        "pk": [*Connector.objects.values_list("pk", flat=True)[:1]],
        "key": ["turn", "turn-c", "turn-a", "turn-v", "turn-x"],
        "content_type_id": [ContentType.objects.get_for_model(Connection).pk],
    }
    if name in references:
        return references[name]
    if name == "reference":
        rows: Any = Attempt if "attempts" in route else Connection
        rows = acme.invitations if "invitations" in route else rows.objects
        return [*rows.values_list("reference", flat=True)]
    assert name == "object_id", f"what stands for {name} in {route}?"
    return [*model._default_manager.values_list("pk", flat=True)[:1]] if model else [1]


# -- forms ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Form:
    """A form that posts, as a visitor's page shows it. `fields`: (name, value that it has)."""

    visitor: str
    action: str
    fields: tuple[tuple[str, str], ...]

    @property
    def kind(self) -> tuple[object, ...]:
        """Alike for forms that differ in their row alone."""
        return self.visitor, resolve(self.action).route, tuple(name for name, _ in self.fields)


def forms(visitor: str, page: str, html: str) -> list[Form]:
    parser = _Forms(page)
    parser.feed(html)
    return [Form(visitor, action, tuple(fields)) for action, fields in parser.found]


class _Forms(HTMLParser):
    """Collects the forms that post to this site, with all that a browser could send."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
        self.found: list[tuple[str, list[tuple[str, str]]]] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = urlsplit(urljoin(self.page, given.get("action", ""))).path
            self.inside = given.get("method", "").lower() == "post"
            self.found += [(action, [])] if self.inside else []
        elif self.inside and tag in {"input", "select", "textarea", "button"} and given.get("name"):
            self.found[-1][1].append((given["name"], given.get("value", "")))
        elif self.inside and tag == "option" and given.get("value"):
            name, _ = self.found[-1][1].pop()
            self.found[-1][1].append((name, given["value"]))

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "form"


def every_form(world: World, visitor: str) -> list[Form]:
    """The forms on all pages for this visitor; of those that differ in their row alone, one."""
    found: dict[tuple[object, ...], Form] = {}
    client = client_of(world.visitors[visitor])
    for path in addresses(world, visitor):
        response = client.get(path)
        if "html" in response.headers.get("Content-Type", ""):
            for form in forms(visitor, path, response.content.decode()):
                found.setdefault(form.kind, form)
    return list(found.values())


def client_of(user: User | None) -> Client:
    client = Client(raise_request_exception=False)
    if user:
        client.force_login(user)
    return client
