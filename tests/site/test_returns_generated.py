"""Ten thousand generated returns: none of them is accepted, and none is answered with an error.

Each is made of what a stranger or a mistake could bring: parts of real states, other people's, spent
ones, doubled and garbled parameters, other methods, headers, visitors and vendors. What would be
somebody's own return is left out, by a rule that knows nothing of the code (`own`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.db import connection as database
from django.db import transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from onboarding import journey
from onboarding.background import runner
from onboarding.journey import hops
from onboarding.models import Attempt, Hop, Membership, User
from onboarding.views.vendor_trip import returns
from onboarding.views.vendor_trip.browser import COOKIE
from tests.support.people import People, business, connector, person
from tests.support.returns import left_with
from tests.support.visit import browser_cookie

Target = tuple[str, tuple[str, str]]  # a state, and whose it is: (vendor, visitor)
Manner = tuple[str, dict[str, str]]  # method, headers
VENDORS = ["scripted", "other", "nobody"]
VISITORS = ["alice", "bob", "charlie", "dora", "gone", ""]
AHEAD = {"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "Prefetch"}, {"X-Moz": "prefetch"}
MANNERS: list[Manner] = [
    *[("GET", {})] * 8,
    *[("GET", header) for header in AHEAD],
    *[(method, {}) for method in ("HEAD", "POST", "PUT", "OPTIONS")],
    *[(method, AHEAD[0]) for method in ("HEAD", "POST")],
]
BROWSERS = ["aimed"] * 20 + VISITORS
CALM = ("return-lost", "return-elsewhere")
BATCH = 10  # returns in one example: what hypothesis does for each example takes longer than they
NAMES = ["state", "", "code", "ibsstoken", "token", "error", "next", "State", "state[]", "a"]


@dataclass(frozen=True)
class Visit:
    vendor: str
    visitor: str
    browser: str  # whose: of one of the visitors, or "" for one that never left
    method: str
    headers: dict[str, str]
    query: str
    states: tuple[str, ...]  # all values of parameters called "state", in their order

    @property
    def looks(self) -> bool:
        return self.method == "GET" and not self.headers


@dataclass(frozen=True)
class World:
    """Who there is, and whose each state is: (vendor, user) of the live and of the spent ones."""

    users: dict[str, User]
    live: dict[str, tuple[str, str]]
    spent: dict[str, tuple[str, str]]
    bare: set[tuple[str, str]]

    def own(self, visit: Visit) -> bool:
        """Whether this is a return that should be accepted: the right vendor, visitor, browser and state."""
        states = {leading_letters(state) or state for state in visit.states}
        if not visit.looks or len(states) > 1:
            return False
        state = states.pop() if states else ""
        if not state:
            own = visit.browser in ("", visit.visitor)  # the session is the binding
            return own and (visit.vendor, visit.visitor) in self.bare
        vendor, user = self.live.get(state, ("", "gone"))
        own = visit.visitor in (user, "") and visit.browser == user
        return own and vendor == visit.vendor and user != "gone"

    def cookie(self, visit: Visit) -> dict[str, str]:
        owner = self.users.get(visit.browser)
        return {COOKIE: browser_cookie(owner)} if owner else {}

    def places(self) -> set[str]:
        """Where a return may lead that is not accepted: the calm page, or a page seen before."""
        pages = {attempt.get_absolute_url() for attempt in Attempt.objects.all()}
        signing_in = {f"{reverse('account_login')}?next={page}" for page in pages}
        here = {f"{page}here/" for page in pages}
        calm = {reverse(name, args=[slug]) for name in CALM for slug in VENDORS}
        return pages | signing_in | here | calm


def leading_letters(state: str) -> str:
    """What counts of a state: whatever was appended to it on the way does not."""
    found = re.match(r"\s*([A-Za-z0-9_-]+)", state)
    return found[1] if found else ""


def trip(user: User, vendor: str, **fields: Any) -> Attempt:
    """Somebody's attempt at a vendor, and a hop of it with these fields."""
    merchant = user.memberships.get().merchant
    shop = f"{user.name}{Attempt.objects.count()}"
    account, _ = merchant.accounts.get_or_create(vendor=vendor)
    made = account.connections.create(
        vendor=vendor, name=shop, connector=connector(vendor, shop.lower())
    )
    attempt: Attempt = made.attempts.create(user=user, answer="redirect", call={"name": "start"})
    now = timezone.now()
    text = f"{shop}-{'s' * 30}-{vendor}"
    fields = {"state": text, "minted": now, "taken": now, **fields}
    attempt.hops.create(user=user, digest=hops.digest(text), **fields)
    left_with(attempt, user)
    return attempt


@pytest.fixture
def world(people: People, monkeypatch: pytest.MonkeyPatch) -> World:
    users = {name: getattr(people, name) for name in ("alice", "bob", "charlie")}
    users |= {name: person(f"{name}@example.org", name.title()) for name in ("dora", "gone")}
    business("Dora's", owner=users["dora"])
    people.acme.memberships.create(user=users["gone"], role=Membership.Role.MEMBER)
    live, spent = {}, {}
    for name, user in users.items():
        for vendor in ("scripted", "other"):
            hop = trip(user, vendor).hops.get()
            live[str(hop.state)] = (vendor, name)
            done = trip(user, vendor, spent=timezone.now()).hops.get()
            spent[str(done.state)] = (vendor, name)
    Hop.objects.exclude(spent=None).update(state=None)
    for _ in range(2):
        trip(users["bob"], "scripted", bare=True)
    trip(users["dora"], "scripted", bare=True)
    Hop.objects.update(strayed=timezone.now())  # their first foreign returns are on record
    users["gone"].memberships.all().delete()
    monkeypatch.setattr(runner, "hand_over", accepted)
    return World(users, live, spent, {("scripted", "dora")})


def accepted(attempt: Attempt, **_: Any) -> None:
    raise AssertionError(f"a return was taken for {attempt}'s own")


# -- what is generated ---------------------------------------------------------------------------


def damaged() -> st.SearchStrategy[Callable[[str], str]]:
    """What makes a state nearly one; most often nothing does."""
    fixed: list[Callable[[str], str]] = [
        str.upper, str.lower, str.swapcase, hops.digest, lambda s: s + " ", lambda s: s + "\0",
        lambda s: f"{s},{s}", lambda s: f"%{s}", lambda s: s.replace("s", "ſ"), lambda s: s * 50,
        lambda s: s[1:], lambda s: s[:-1], lambda s: s[:20], lambda s: "", lambda s: "None",
    ]  # fmt: skip
    keep: list[Callable[[str], str]] = [lambda s: s] * len(fixed)
    return st.sampled_from(keep + fixed)


def visits(world: World, browsers: list[str]) -> st.SearchStrategy[Visit]:
    """Mostly aimed: at the right vendor as the right visitor, but for one thing or the other."""
    aims = [("aimed", "aimed")] * 60 + list(product(["aimed", *VENDORS], ["aimed", *VISITORS]))
    lost = [target for target in world.live.items() if target[1][1] == "gone"] * 5
    targets = st.sampled_from([*world.live.items(), *world.spent.items(), *lost])
    odd = st.one_of(targets.map(lambda target: target[0]), st.text(max_size=20))
    return st.builds(
        _visit,
        targets,
        damaged(),
        st.sampled_from(aims),
        st.sampled_from(browsers),
        st.sampled_from(MANNERS),
        st.sampled_from(["state"] * 20 + NAMES),
        st.lists(st.tuples(st.sampled_from(NAMES), odd), max_size=2),
        st.sampled_from(["", "", "", "&%ff=%fe", "&%00=%00", "&\xff\xfe", "&=&&", "&a[]=1&a[]=2"]),
    ).filter(lambda visit: not world.own(visit))


def _visit(
    target: Target,
    damage: Callable[[str], str],
    aim: tuple[str, str],
    browser: str,
    manner: Manner,
    name: str,
    more: list[tuple[str, str]],
    garbage: str,
) -> Visit:
    state, (its_vendor, its_user) = target
    visitor = its_user if aim[1] == "aimed" else aim[1]
    aimed = {"aimed": its_user, "own": visitor}
    pairs = [*more[:1], *([(name, damage(state))] if name else []), *more[1:]]
    return Visit(
        vendor=its_vendor if aim[0] == "aimed" else aim[0],
        visitor=visitor,
        browser=aimed.get(browser, browser),
        method=manner[0],
        headers=manner[1],
        query=urlencode(pairs) + garbage,
        states=tuple(value for key, value in pairs if key == "state"),
    )


def prove(
    world: World,
    answer: Callable[[Visit], Any],
    many: int,
    first: int = 0,
    browsers: list[str] = BROWSERS,
) -> None:
    """No generated visit is accepted, changes a row, or is answered in any but the known ways."""
    places, count = world.places(), 0

    @seed(first)  # always the same ones: a failure is one tomorrow too
    @settings(
        max_examples=many // BATCH, phases=[Phase.generate], deadline=None, database=None,
        report_multiple_bugs=False, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.lists(visits(world, browsers), min_size=BATCH, max_size=BATCH))
    def refused(batch: list[Visit]) -> None:
        nonlocal count
        with transaction.atomic():
            before = rows_changed()
            for visit in batch:
                calm(visit, answer(visit), places)
                assert rows_changed() == before, visit
                count += 1
            transaction.set_rollback(True)

    refused()
    assert count >= many


def rows_changed() -> int:
    """By this connection to SQLite, ever."""
    return int(database.connection.total_changes)


def calm(visit: Visit, response: Any, places: set[str]) -> None:
    said = response["Referrer-Policy"], response["Cache-Control"], response.content
    assert said == ("no-referrer", "no-store", b""), visit
    if visit.looks or visit.method == "POST":
        assert response.status_code == 303, visit
        assert response["Location"] in places, visit
    else:
        expected = 200 if visit.method in {"GET", "HEAD"} else 405
        assert response.status_code == expected, visit


def by_hand(world: World) -> Callable[[Visit], HttpResponse]:
    """The view itself, ten times as fast as through a client."""
    factory, paths = RequestFactory(), {slug: reverse("return", args=[slug]) for slug in VENDORS}

    def answer(visit: Visit) -> HttpResponse:
        request = factory.generic(
            visit.method, paths[visit.vendor], headers=visit.headers, QUERY_STRING=visit.query
        )
        request.user = world.users.get(visit.visitor, AnonymousUser())
        request.session = SessionBase()
        request.COOKIES.update(world.cookie(visit))
        return returns.arrive(request, visit.vendor)

    return answer


@pytest.mark.parametrize("quarter", range(4))
def test_of_ten_thousand_returns_none_is_accepted_and_none_is_an_error(
    world: World, quarter: int
) -> None:
    prove(world, by_hand(world), 2_500, quarter)


def test_through_the_whole_site_it_is_the_same(world: World) -> None:
    """With sessions, the CSRF check and all other middleware. Everybody has their own browser: what waits
    in a session is a row.
    """
    clients = {name: Client(enforce_csrf_checks=True) for name in VISITORS}
    for name, user in world.users.items():
        clients[name].force_login(user)

    def answer(visit: Visit) -> Any:
        path = reverse("return", args=[visit.vendor])
        client = clients[visit.visitor]
        client.cookies.pop(COOKIE, None)
        client.cookies.load(world.cookie(visit))
        return client.generic(visit.method, path, headers=visit.headers, QUERY_STRING=visit.query)

    for name in VISITORS:
        answer(
            Visit("nobody", name, "", "GET", {}, "", ())
        )  # the session is in the cache from now on
    prove(world, answer, 200, browsers=["own"])


# -- the proof can fail --------------------------------------------------------------------------


def whichever_vendor(vendor: str, state: str) -> Hop | None:
    return Hop.objects.filter(digest=hops.digest(state)).first() if state else None


def nearly_right(vendor: str, state: str) -> Hop | None:
    rows = Hop.objects.filter(attempt__connection__vendor=vendor, state__isnull=False)
    return rows.filter(state__iexact=state.strip()).first() if state else None


def first_of_many(vendor: str, user: User) -> Hop | None:
    rows = Hop.objects.filter(attempt__connection__vendor=vendor, bare=True)
    return rows.filter(user=user).first()


def bound_to_its_user_only(hop: Hop, user: User | None) -> bool:
    return user is None or hop.user_id == user.pk


MUTATIONS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "a state is good at any vendor": (journey, "find_hop", whichever_vendor),
    "a state is compared loosely": (journey, "find_hop", nearly_right),
    "one of several trips is taken": (journey, "find_bare_hop", first_of_many),
    "any browser brings it": (journey, "left_from", lambda hop, browser: True),
    "anybody brings it": (returns, "_may_use", lambda hop, user: True),
    "former members bring it": (returns, "_may_use", bound_to_its_user_only),
    "a look ahead spends it": (returns, "_is_prefetch", lambda request: False),
    "the last of several states wins": (returns, "_params_of", lambda request: request.GET.dict()),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_wrong_line_would_be_found(
    world: World, mutation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*MUTATIONS[mutation])
    with pytest.raises((AssertionError, Flaky)):
        prove(world, by_hand(world), 10_000)
