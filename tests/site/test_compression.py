"""Pages are compressed, but for those that show secrets; and what search engines are told about them."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from onboarding.middleware import SHOWS_SECRETS, Compression
from onboarding.views.context import PUBLIC
from tests.support.people import People
from tests.support.visit import browser

GZIP = {"Accept-Encoding": "gzip"}


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["start", "catalogue", "account_login"])
def test_a_page_comes_compressed(client: Client, name: str) -> None:
    response = client.get(reverse(name), headers=GZIP)
    assert response["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in response["Vary"]
    assert "Content-Encoding" not in client.get(reverse(name)).headers


def test_a_page_with_a_secret_does_not(people: People) -> None:
    response = browser(people.alice).get(reverse("mfa_activate_totp"), headers=GZIP, follow=True)
    assert response.redirect_chain == []
    assert "Content-Encoding" not in response.headers


def test_the_pages_with_secrets_are_pages_of_the_site() -> None:
    for name in SHOWS_SECRETS:
        for args in ([], ["m-1"], ["m-1", "s-1"]):
            try:
                assert reverse(name, args=args)
                break
            except NoReverseMatch:
                continue
        else:
            pytest.fail(f"no page is called {name}")
    assert Compression.max_random_bytes >= 100  # each answer has another length


@pytest.mark.django_db
def test_search_engines_know_each_public_page_by_one_address(client: Client) -> None:
    for name in PUBLIC - {"platform"}:
        html = client.get(reverse(name) + "?q=1").content.decode()
        assert f'<link rel="canonical" href="http://localhost{reverse(name)}">' in html
        assert '<meta name="description"' in html
    assert 'rel="canonical"' not in client.get("/nowhere/").content.decode()


def test_crawlers_may_read_the_sign_in_alone_of_the_accounts(client: Client) -> None:
    lines = client.get("/robots.txt").content.decode().splitlines()
    assert "Allow: /accounts/login/$" in lines
    assert "Disallow: /accounts/" in lines
