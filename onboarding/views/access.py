"""Who may see what. Everything of a merchant is a 404 for everybody but its members."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from onboarding.models import Attempt, Connection, Membership, User

View = Callable[..., HttpResponseBase]
POLLED = [
    *("reference", "version", "ended", "turn", "answer", "due_at", "questions"),
    *("connection__vendor", "connection__account__merchant__reference"),
]


class Request(HttpRequest):
    """A request as the views below get it: with a signed-in user."""

    user: User
    htmx: HtmxDetails


def signed_in(view: View) -> View:
    """For pages that need a user and no merchant."""

    @never_cache
    @wraps(view)
    def inner(request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        if not isinstance(request.user, User):
            return to_sign_in(request, request.path)
        return view(request, **kwargs)

    return inner


def for_member(view: View) -> View:
    """Gives the view the membership instead of the merchant's reference."""
    return _for_member(view, "")


def for_team(view: View) -> View:
    """The same for what is done to the team: after signing in one gets its page, never an action."""
    return _for_member(view, "team")


def for_owner(view: View) -> View:
    """The same for owners; members are told whom to ask."""

    @wraps(view)
    def inner(request: HttpRequest, mine: Membership, **kwargs: Any) -> HttpResponseBase:
        if mine.owns:
            return view(request, mine, **kwargs)
        owners = mine.merchant.memberships.filter(role=Membership.Role.OWNER)
        context = {"merchant": mine.merchant, "owners": owners.select_related("user")}
        return render(request, "onboarding/team_owners_only.html", context, status=403)

    return for_team(inner)


def _for_member(view: View, page: str) -> View:
    @never_cache
    @wraps(view)
    def inner(request: HttpRequest, merchant: str, **kwargs: Any) -> HttpResponseBase:
        if not isinstance(user := request.user, User):
            return to_sign_in(request, reverse(page, args=[merchant]) if page else request.path)
        rows = Membership.objects.select_related("merchant")
        mine = get_object_or_404(rows, merchant__reference=merchant, user=user)
        return view(request, mine, **kwargs)

    return inner


def for_attempt(view: View) -> View:
    """Gives the view the attempt. After signing in one gets its page, never an action."""
    return _for_attempt(view, attempts_of)


def for_poll(view: View) -> View:
    """The same, with no more of the attempt than tells whether there is news: many ask, and often."""
    return _for_attempt(view, _glance)


def _for_attempt(view: View, rows_of: Callable[[User], QuerySet[Attempt]]) -> View:
    @never_cache
    @wraps(view)
    def inner(request: HttpRequest, merchant: str, reference: str) -> HttpResponseBase:
        if not isinstance(user := request.user, User):
            return to_sign_in(request, reverse("attempt", args=[merchant, reference]))
        rows = rows_of(user).filter(connection__account__merchant__reference=merchant)
        return view(request, get_object_or_404(rows, reference=reference))

    return inner


def for_connection(view: View) -> View:
    """Gives the view the connection. After signing in one gets its page, never an action."""

    @never_cache
    @wraps(view)
    def inner(
        request: HttpRequest, merchant: str, reference: str, **kwargs: Any
    ) -> HttpResponseBase:
        if not isinstance(user := request.user, User):
            return to_sign_in(request, reverse("connection", args=[merchant, reference]))
        rows = Connection.objects.select_related("connector", "account__merchant").filter(
            account__merchant__reference=merchant, account__merchant__memberships__user=user
        )
        return view(request, get_object_or_404(rows, reference=reference), **kwargs)

    return inner


def attempts_of(user: User) -> QuerySet[Attempt]:
    """The attempts of all the user's merchants, with what their pages show."""
    rows = Attempt.objects.select_related("connection__connector", "connection__account__merchant")
    return rows.filter(connection__account__merchant__memberships__user=user)


def _glance(user: User) -> QuerySet[Attempt]:
    rows = Attempt.objects.filter(connection__account__merchant__memberships__user=user)
    return rows.select_related("connection__account__merchant").only(*POLLED)


def memberships(user: User) -> list[Membership]:
    """The businesses of a user, by name."""
    rows = Membership.objects.select_related("merchant").filter(user=user)
    return list(rows.order_by("merchant__name"))


def owns(user: User, connection: Connection) -> bool:
    roles = connection.account.merchant.memberships
    return roles.filter(user=user, role=Membership.Role.OWNER).exists()


def to_sign_in(request: HttpRequest, page: str) -> HttpResponseBase:
    """To the sign-in, and from there to `page`. A polling element takes its whole page along."""
    response = redirect_to_login(page)
    return HttpResponseClientRedirect(response.url) if getattr(request, "htmx", False) else response
