"""allauth's own rate limits: counted in our table, where no cache forgets them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from allauth.account import app_settings
from allauth.core.internal import ratelimit
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from onboarding.models import RateLimit, User
from tests.support.codes import ANNA, anna, forget_mails
from tests.support.crowd import at_once
from tests.support.visit import browser

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]
LOGIN, RESET, ADDRESSES = "/accounts/login/", "/accounts/password/reset/", "/accounts/email/"
HOME = "192.0.2.1"
# What is counted, and a request that counts it.
ACTIONS: dict[str, Callable[[User], object]] = {
    "request_login_code": lambda user: visitor().post(LOGIN, {"email": ANNA}),
    "login": lambda user: visitor().post(f"{LOGIN}password/", {"login": ANNA, "password": "x"}),
    "reset_password": lambda user: visitor().post(RESET, {"email": ANNA}),
    "manage_email": lambda user: browser(user).post(ADDRESSES, {"action_add": "", "email": "x"}),
    "change_password": lambda user: browser(user).post(
        "/accounts/password/set/", {"password1": "x"}
    ),
}


def visitor() -> Client:
    return Client(REMOTE_ADDR=HOME)


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_is_counted_in_the_table_and_never_in_the_cache(action: str) -> None:
    ACTIONS[action](anna())
    counted = RateLimit.objects.filter(key__startswith=f"{action}:")
    assert {row.used for row in counted} == {1}
    assert counted.count() == len(ratelimit.get_rates(app="allauth.account", action=action))
    assert not rows_of_the_cache()


def rows_of_the_cache() -> list[str]:
    """Whatever allauth keeps there."""
    names = [f"allauth:rl:allauth.account:{action}" for action in app_settings.RATE_LIMITS]
    return [name for name in names if cache.get(name) is not None]


@pytest.mark.parametrize(
    ("rates", "allowed"), [("3/m/ip", 3), ("4/d/network", 4), ("9/m/ip,2/d/network", 2)]
)
def test_so_many_come_through_at_once_and_no_more(
    settings: Settings, rates: str, allowed: int
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "request_login_code": rates}
    asks = [lambda n=n: visitor().post(LOGIN, {"email": f"p{n}@shop.example"}) for n in range(8)]
    statuses = [each.status_code for each in at_once(asks)]
    assert (statuses.count(302), statuses.count(429)) == (allowed, 8 - allowed)
    cache.clear()
    forget_mails()
    assert visitor().post(LOGIN, {"email": ANNA}).status_code == 429
    assert Client(REMOTE_ADDR="198.51.100.1").post(LOGIN, {"email": ANNA}).status_code == 302


def test_a_network_of_this_machine_is_never_full(settings: Settings) -> None:
    rates = {"request_login_code": "9/m/ip,2/d/network"}
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, **rates}
    asks = [Client().post(LOGIN, {"email": f"p{n}@shop.example"}) for n in range(9)]
    assert {each.status_code for each in asks} == {302}


def test_the_page_says_how_long_a_limit_of_a_day_lasts(settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "login": "1/d/ip"}
    form = {"login": ANNA, "password": "x"}
    visitor().post(f"{LOGIN}password/", form)
    refused = visitor().post(f"{LOGIN}password/", form)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "86400")
    assert "Try again in 24 hours." in refused.content.decode()


def test_a_success_clears_what_allauth_clears(rf: RequestFactory) -> None:
    """Second factors: five wrong ones in five minutes, and a right one begins anew."""
    request = rf.post("/")
    request.user = AnonymousUser()
    how = {"app": "allauth.account", "action": "login_failed", "key": "mfa-auth-user-1"}
    assert [bool(ratelimit.consume(request, **how)) for _ in range(6)] == [True] * 5 + [False]
    ratelimit.clear(request, **how)
    usage = ratelimit.consume(request, **how)
    assert usage
    usage.rollback()
    assert {row.used for row in RateLimit.objects.filter(key__startswith="login_failed")} == {0}
