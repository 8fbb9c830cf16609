"""The page of all shops: what needs the merchant first, each with its cause and one button."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NotRequired, TypedDict

from django.core.paginator import Paginator
from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, Value, When
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from onboarding import journey, registry
from onboarding.methods import require_read
from onboarding.models import Attempt, Connection, Membership
from onboarding.models.status import SET_UP, Answer, Status, Turn
from onboarding.views.access import Request, for_member

from .summary import hint, next_act
from .waiting import WaitingRow, waiting_rows

ON_A_PAGE = 100  # shops


class Group(IntEnum):
    """Whose turn it is with a shop, in the order of the page."""

    NEEDED = 0  # something has happened, or a key is to be saved
    BEGUN = 1  # the merchant has begun, and goes on
    OTHERS = 2
    CONNECTED = 3
    PAUSED = 4
    DISCONNECTED = 5


@dataclass(frozen=True)
class Shop:
    """A shop, its group, its open attempt ("" for none), and the newest one of all."""

    row: Connection
    group: int
    open_attempt: str
    open_turn: str
    open_answer: str
    newest: str


class Button(TypedDict):
    """The one button of a row. `seen`: a POST form with the newest attempt that the page knew."""

    label: str
    url: str
    post: bool
    seen: NotRequired[str]


class Row(TypedDict):
    """A row of _home_row.html. `remove`: where it is removed from the list; "" if it cannot be."""

    href: str
    reference: str
    title: str
    hint: str
    status: str
    platform: str
    identity: list[str]
    button: Button | None
    remove: str


class Section(TypedDict):
    title: str
    waiting: list[WaitingRow]
    rows: list[Row]


@require_read
@for_member
def home(request: Request, membership: Membership) -> HttpResponse:
    """All shops, and what waits for a vendor: the status, the cause, and where the reader goes on."""
    shops = _shops(membership)
    few = list(shops[: ON_A_PAGE + 1])  # nearly everybody has one page, and it needs no count
    found = few if len(few) <= ON_A_PAGE else shops
    page = Paginator(found, ON_A_PAGE).get_page(request.GET.get("page"))
    waiting = [] if page.has_previous() else waiting_rows(membership)
    sections = _sections(membership, page.object_list, waiting)
    context = {
        "merchant": membership.merchant,
        "page": page,
        "sections": sections,
        "removal": next((row["remove"] for row in _rows(sections) if row["remove"]), ""),
        "is_empty": not (sections or page.has_previous()),
        "has_other_businesses": len(request.user.businesses) > 1,
    }
    return render(request, "onboarding/home.html", context)


# Any: django-stubs' row with annotations
def _shops(membership: Membership) -> QuerySet[Connection, Any]:
    """The merchant's shops with their group, and what is open for them: in one query."""
    shops = Connection.objects.filter(account__merchant=membership.merchant, removed_at=None)
    mine = Attempt.objects.filter(connection=OuterRef("pk"))
    open_ones = mine.filter(ended=None).exclude(purpose=Attempt.Purpose.ENTER)
    rows = shops.select_related("connector").annotate(
        group=_group(membership),
        open_attempt=Subquery(open_ones.values("reference")[:1]),
        open_turn=Subquery(open_ones.values("turn")[:1]),
        open_answer=Subquery(open_ones.values("answer")[:1]),
        newest=Subquery(mine.order_by("-pk").values("reference")[:1]),
    )
    return rows.order_by("group", "created", "pk")


def _group(membership: Membership) -> Case:
    begun = Q(status__in=[Status.NOT_STARTED, Status.IN_PROGRESS], turn=Turn.MERCHANT)
    whens = [
        When(status=Status.DISCONNECTED, then=Group.DISCONNECTED),
        When(status=Status.ACTION_NEEDED, then=Group.NEEDED),
        When(begun, then=Group.BEGUN),
        When(answer=Answer.TASK, then=Group.OTHERS),
        When(status=Status.PAUSED, then=Group.PAUSED),
        When(status=Status.CONNECTED, then=Group.CONNECTED),
    ]
    if membership.sees_secrets:
        secret = Q(status__in=SET_UP, reveal__isnull=False)
        whens.insert(0, When(secret, then=Group.NEEDED))
    return Case(*whens, default=Value(Group.OTHERS))


def _sections(
    membership: Membership, shops: Iterable[Connection], waiting: list[WaitingRow]
) -> list[Section]:
    """The rows below their headings; headings without rows are left out."""
    titles = {
        Group.NEEDED: gettext("Your turn"),
        Group.BEGUN: gettext("Your turn"),
        Group.OTHERS: gettext("In progress"),
        Group.CONNECTED: gettext("Connected shops"),
        Group.PAUSED: gettext("Paused shops"),
        Group.DISCONNECTED: gettext("Disconnected shops"),
    }
    sections: dict[str, Section] = {
        title: {"title": title, "waiting": [], "rows": []} for title in titles.values()
    }
    for row in waiting:
        group = Group.NEEDED if row["is_back"] else Group.OTHERS
        sections[titles[group]]["waiting"].append(row)
    for shop in map(_shop, shops):
        sections[titles[Group(shop.group)]]["rows"].append(_row(membership, shop))
    return [each for each in sections.values() if each["rows"] or each["waiting"]]


def _rows(sections: list[Section]) -> Iterator[Row]:
    return (row for section in sections for row in section["rows"])


def _shop(connection: Connection) -> Shop:
    """From a row of `_shops`."""
    found = vars(connection)
    names = ("open_attempt", "open_turn", "open_answer", "newest")
    return Shop(connection, found["group"], **{name: found[name] or "" for name in names})


def _row(membership: Membership, shop: Shop) -> Row:
    """An unfinished shop links to its open attempt, where the merchant goes on."""
    connection = shop.row
    removable = journey.can_remove(connection)
    return {
        "href": _page(membership, shop),
        "reference": connection.reference,
        "title": connection.name,
        "hint": hint(connection, sees_secrets=membership.sees_secrets),
        "status": connection.status,
        "platform": connection.connector.platform,
        "identity": connection.known_there,
        "button": _button(membership, shop),
        "remove": _address(membership, "remove", connection) if removable else "",
    }


def _page(membership: Membership, shop: Shop) -> str:
    if shop.open_attempt and not shop.row.is_set_up:
        return reverse("attempt", args=[membership.merchant.reference, shop.open_attempt])
    return _address(membership, "connection", shop.row)


def _address(membership: Membership, name: str, connection: Connection) -> str:
    return reverse(name, args=[membership.merchant.reference, connection.reference])


def _button(membership: Membership, shop: Shop) -> Button | None:
    """What the reader can do now; None where it is not their turn."""
    if shop.group > Group.BEGUN:
        return None
    if shop.row.is_set_up:
        reveal = _address(membership, "reveal", shop.row)
        return {"label": gettext("Save your key"), "url": reveal, "post": True}
    if shop.open_attempt:
        label = next_act(shop.row.vendor, shop.open_turn, shop.open_answer)
        return {"label": label, "url": _page(membership, shop), "post": False}
    if registry.vendor_of(shop.row.vendor) is None:
        return None
    label = gettext("Reconnect") if shop.row.connected_at else gettext("Start again")
    url = _address(membership, "reconnect", shop.row)
    return {"label": label, "url": url, "post": True, "seen": shop.newest}
