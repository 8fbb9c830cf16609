"""Who may see what. Everything of a merchant is a 404 for everybody but its members."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from ..models import Attempt, Connection, Membership, User

View = Callable[..., HttpResponseBase]


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

    @never_cache
    @wraps(view)
    def inner(request: HttpRequest, merchant: str, **kwargs: str) -> HttpResponseBase:
        if not isinstance(user := request.user, User):
            return to_sign_in(request, request.path)
        rows = Membership.objects.select_related("merchant")
        mine = get_object_or_404(rows, merchant__reference=merchant, user=user)
        return view(request, mine, **kwargs)

    return inner


def for_attempt(view: View) -> View:
    """Gives the view the attempt. After signing in one gets its page, never an action."""

    @never_cache
    @wraps(view)
    def inner(request: HttpRequest, merchant: str, reference: str) -> HttpResponseBase:
        if not isinstance(user := request.user, User):
            return to_sign_in(request, reverse("attempt", args=[merchant, reference]))
        rows = attempts_of(user).filter(connection__account__merchant__reference=merchant)
        return view(request, get_object_or_404(rows, reference=reference))

    return inner


def for_connection(view: View) -> View:
    """Gives the view the connection. After signing in one gets its page, never an action."""

    @never_cache
    @wraps(view)
    def inner(request: HttpRequest, merchant: str, reference: str) -> HttpResponseBase:
        if not isinstance(user := request.user, User):
            return to_sign_in(request, reverse("connection", args=[merchant, reference]))
        rows = Connection.objects.select_related("connector", "account__merchant").filter(
            account__merchant__reference=merchant, account__merchant__memberships__user=user
        )
        return view(request, get_object_or_404(rows, reference=reference))

    return inner


def attempts_of(user: User) -> QuerySet[Attempt]:
    """The attempts of all the user's merchants, with what their pages show."""
    rows = Attempt.objects.select_related("connection__connector", "connection__account__merchant")
    return rows.filter(connection__account__merchant__memberships__user=user)


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


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: None for a GET, even when a POST is empty."""
    return request.POST if request.method == "POST" else None
