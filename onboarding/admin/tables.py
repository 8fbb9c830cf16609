"""Tables and timelines of the admin's pages, and the cells that tables and changelists share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext

from onboarding import moments
from onboarding.models import Attempt, Connection, Event, Hop
from onboarding.models.status import StatusMixin
from onboarding.notifications.causes import Explanation, explain

from .base import ATTEMPT_SECRETS, CONNECTION_SECRETS

LISTED = 100  # rows of a table
ENTRIES = 200  # of a timeline
NOTHING = "–"


@dataclass(frozen=True)
class Table:
    """For admin/parts/table.html. A cell is text, or HTML from the functions below.

    The first cell of a row is its heading. `id` is the id of the table's heading; `empty` is shown if
    there are no rows; `more` is the number of rows left out. With `selectable` each row has a checkbox,
    which sends the first cell as one of `ids`. `note` stands below the table.
    """

    id: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    empty: str
    more: int = 0
    selectable: bool = False
    note: str = ""


# -- cells -----------------------------------------------------------------------------------------


def link(row: Model | None, words: str = "") -> str:
    """A link to a row's own page in the admin."""
    if row is None:
        return NOTHING
    return link_to(row._meta.model, row.pk, words or str(row))


def link_to(model: type[Model], pk: int, words: str) -> SafeString:
    opts = model._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[pk])
    return format_html('<a href="{}">{}</a>', url, words)


def badge(row: StatusMixin) -> SafeString:
    """The word for a status, in its colour."""
    return format_html(
        '<span class="gw-status gw-status--{}">{}</span>', row.status, row.get_status_display()
    )


def moment(at: datetime | None) -> str:
    return moments.in_words(at) if at else NOTHING


def exact_moment(at: datetime) -> str:
    """To the second."""
    return moments.in_words(at, seconds=True)


# -- tables of rows --------------------------------------------------------------------------------


def connections_table(connections: QuerySet[Connection]) -> Table:
    """The newest first."""
    newest = connections.select_related("connector", "account__merchant").order_by("-pk")
    return Table(
        id="gw-connections",
        title=gettext("Connections"),
        columns=(
            gettext("Name"),
            gettext("Connector"),
            gettext("Status"),
            gettext("The merchant reads"),
            gettext("Started"),
        ),
        rows=[
            (
                link(connection),
                str(connection.connector),
                badge(connection),
                connection.sentence or NOTHING,
                moment(connection.created),
            )
            for connection in newest.defer(*CONNECTION_SECRETS)[:LISTED]
        ],
        empty=gettext("No shop yet."),
    )


def explained(row: Connection | Attempt) -> Explanation:
    """Why it is staff's turn, and what to do."""
    connection = row if isinstance(row, Connection) else row.connection
    return explain(connection.vendor, row.cause)


def facts(row: Connection | Attempt) -> str:
    """Why it is staff's turn, and the facts of it; "" if it is not."""
    detail = Truncator(row.detail).chars(120)
    return " ".join(part for part in (explained(row).what, detail) if part)


def attempts_table(attempts: QuerySet[Attempt]) -> Table:
    """The newest first."""
    newest = attempts.select_related("user").defer(*ATTEMPT_SECRETS).order_by("-created")
    return Table(
        id="gw-attempts",
        title=gettext("Attempts"),
        columns=(
            gettext("What for"),
            gettext("By"),
            gettext("Started"),
            gettext("Status"),
            gettext("For staff"),
            gettext("Next try"),
            gettext("Ended"),
        ),
        rows=[_attempt_cells(attempt) for attempt in newest[:LISTED]],
        empty=gettext("None yet."),
    )


def _attempt_cells(attempt: Attempt) -> tuple[str, ...]:
    return (
        link(attempt, attempt.get_purpose_display()),
        str(attempt.user),
        moment(attempt.created),
        badge(attempt),
        facts(attempt),
        moment(attempt.due_at),
        moment(attempt.ended),
    )


def hops_table(hops: QuerySet[Hop]) -> Table:
    """When the browser left and came back, but neither where to nor with which parameters."""
    return Table(
        id="gw-hops",
        title=gettext("Visits to the vendor’s pages"),
        columns=(
            gettext("By"),
            gettext("Link created"),
            gettext("Left"),
            gettext("Came back"),
            gettext("Signed in again"),
            gettext("Link lasts until"),
        ),
        rows=[_hop_cells(hop) for hop in hops.order_by("created").values(*HOP_FACTS)],
        empty=gettext("None yet."),
    )


HOP_FACTS = ("minted", "taken", "spent", "claimed", "expires_at", "returns", "user__email")


def _hop_cells(hop: dict[str, datetime | None]) -> tuple[str, ...]:
    return (
        str(hop["user__email"]),
        moment(hop["minted"]),
        moment(hop["taken"]),
        moment(hop["spent"]) if hop["returns"] else gettext("This vendor sends nobody back"),
        moment(hop["claimed"]),
        moment(hop["expires_at"]),
    )


def timeline(events: QuerySet[Event]) -> list[Event]:
    """The newest entries, the oldest first; for admin/parts/timeline.html."""
    newest = events.select_related("user").order_by("-at", "-pk")[:ENTRIES]
    return list(reversed(newest))
