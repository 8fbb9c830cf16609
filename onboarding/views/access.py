"""Access control: decorators that give a view its row, or a 404 to everybody but the merchant's members.

Somebody who is not signed in goes to the sign-in first, and then to a page, never to an action.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from onboarding import alphabet
from onboarding.models import Attempt, Connection, Membership, Merchant, User

View = Callable[..., HttpResponseBase]
POLLED_COLUMNS = [
    *("reference", "version", "ended", "turn", "answer", "due_at", "questions"),
    *("user_id", "since", "seen_at"),
    *("connection__vendor", "connection__account__merchant__reference"),
]


class Request(HttpRequest):
    """A request as decorated views get it: its user is signed in."""

    user: User
    htmx: HtmxDetails


def signed_in(view: View) -> View:
    """For pages that need a signed-in user and no merchant."""

    @never_cache
    @wraps(view)
    def inner(request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        if not isinstance(request.user, User):
            return to_sign_in(request, request.get_full_path())
        return view(request, **kwargs)

    return inner


def for_member(view: View) -> View:
    """Pass the view the user's membership instead of the merchant's reference."""
    return _for_member(view, "")


def for_team(view: View) -> View:
    """Like `for_member`, for changes to the team: a sign-in leads to the team's page, never to the action."""
    return _for_member(view, "team")


def for_owner(view: View) -> View:
    """Like `for_team`, for owners only: members get a 403 that names the owners."""

    @wraps(view)
    def inner(request: HttpRequest, membership: Membership, **kwargs: object) -> HttpResponseBase:
        if membership.owns:
            return view(request, membership, **kwargs)
        merchant = membership.merchant
        owners = merchant.memberships.filter(role=Membership.Role.OWNER)
        context = {"merchant": merchant, "owners": owners.select_related("user")}
        return render(request, "onboarding/team_owners_only.html", context, status=403)

    return for_team(inner)


def _for_member(view: View, page: str) -> View:
    """`page`: the URL name that a sign-in leads to; "" for the requested page itself."""

    @never_cache
    @wraps(view)
    def inner(request: HttpRequest, merchant: str, **kwargs: object) -> HttpResponseBase:
        if not isinstance(user := request.user, User):
            here = request.get_full_path()
            return to_sign_in(request, reverse(page, args=[merchant]) if page else here)
        rows = Membership.objects.select_related("merchant")
        membership = get_object_or_404(rows, merchant__reference=merchant, user=user)
        return view(request, membership, **kwargs)

    return inner


def for_attempt(view: View) -> View:
    """Pass the view the attempt. A sign-in leads to the attempt's page, never to an action."""
    return _for_attempt(view, attempts_of)


def for_poll(view: View) -> View:
    """Like `for_attempt`, with only the columns that polling needs: many pages poll, and often."""
    return _for_attempt(view, _polled_attempts_of)


def _for_attempt(view: View, attempts_of_user: Callable[[User], QuerySet[Attempt]]) -> View:
    @never_cache
    @wraps(view)
    def inner(request: HttpRequest, merchant: str, reference: str) -> HttpResponseBase:
        if not isinstance(user := request.user, User):
            return to_sign_in(request, reverse("attempt", args=[merchant, reference]))
        rows = attempts_of_user(user).filter(connection__account__merchant__reference=merchant)
        return view(request, get_object_or_404(rows, reference=reference))

    return inner


def for_connection(view: View) -> View:
    """Pass the view the connection. A sign-in leads to the connection's page, never to an action."""

    @never_cache
    @wraps(view)
    def inner(
        request: HttpRequest, merchant: str, reference: str, **kwargs: object
    ) -> HttpResponseBase:
        if not isinstance(user := request.user, User):
            return to_sign_in(request, reverse("connection", args=[merchant, reference]))
        rows = Connection.objects.select_related("connector", "account__merchant").filter(
            account__merchant__reference=merchant, account__merchant__memberships__user=user
        )
        return view(request, get_object_or_404(rows, reference=reference), **kwargs)

    return inner


def attempts_of(user: User) -> QuerySet[Attempt]:
    """The attempts of all the user's merchants, with the rows that their pages show."""
    rows = Attempt.objects.select_related("connection__connector", "connection__account__merchant")
    return rows.filter(connection__account__merchant__memberships__user=user)


def _polled_attempts_of(user: User) -> QuerySet[Attempt]:
    rows = Attempt.objects.filter(connection__account__merchant__memberships__user=user)
    return rows.select_related("connection__account__merchant").only(*POLLED_COLUMNS)


def memberships(user: User) -> list[Membership]:
    """The memberships of a user, in the order of the merchants' names."""
    rows = Membership.objects.select_related("merchant").filter(user=user)
    return sorted(rows, key=lambda row: alphabet.sort_key(row.merchant.name))


def owns(user: User, connection: Connection) -> bool:
    """Whether the user is an owner of the connection's merchant."""
    roles = connection.account.merchant.memberships
    return roles.filter(user=user, role=Membership.Role.OWNER).exists()


def sees_secrets(user: User, connection: Connection) -> bool:
    """Whether the user may see, download and forget the keys and secrets of this shop."""
    own = connection.account.merchant.memberships.filter(user=user).first()
    return own is not None and own.sees_secrets


def owners_of(merchant: Merchant) -> list[str]:
    """The names of the owners: whom members may ask."""
    owners = merchant.memberships.filter(role=Membership.Role.OWNER).select_related("user")
    return [each.user.get_full_name() for each in owners.order_by("created", "pk")]


def secret_owners(user: User, connection: Connection) -> list[str]:
    """Whom to ask for the secrets that wait; empty if the user sees them, or if none wait."""
    if not connection.secret_waits or sees_secrets(user, connection):
        return []
    return owners_of(connection.account.merchant)


def to_sign_in(request: HttpRequest, page: str) -> HttpResponseBase:
    """Redirect to the sign-in, and from there to `page`. For a polling element the whole page goes there."""
    response = redirect_to_login(page)
    return HttpResponseClientRedirect(response.url) if getattr(request, "htmx", False) else response
