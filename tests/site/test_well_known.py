"""What browsers, crawlers and researchers look for at fixed addresses."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from onboarding.conf import service_urls
from tests.support.people import People
from tests.support.visit import browser

SECURITY = "/.well-known/security.txt"


@pytest.fixture
def contact(settings: Settings) -> Settings:
    settings.SECURITY_CONTACT = ["mailto:security@example.org", "https://example.org/report"]
    return settings


def fields(text: str) -> list[tuple[str, str]]:
    pairs = [line.split(": ", 1) for line in text.splitlines()]
    return [(name, value) for name, value in pairs]


def test_security_txt_names_whom_to_tell(client: Client, contact: Settings) -> None:
    response = client.get(SECURITY)
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    found = fields(response.content.decode())
    assert [value for name, value in found if name == "Contact"] == contact.SECURITY_CONTACT
    assert ("Canonical", "http://localhost/.well-known/security.txt") in found
    assert ("Preferred-Languages", "en") in found


def test_security_txt_expires_within_a_year(client: Client, contact: Settings) -> None:
    [expires] = re.findall(r"^Expires: (\S+)$", client.get(SECURITY).content.decode(), re.M)
    left = datetime.fromisoformat(expires) - datetime.now(UTC)
    assert timedelta(days=30) < left < timedelta(days=365)


def test_without_a_contact_there_is_no_security_txt(client: Client, settings: Settings) -> None:
    settings.SECURITY_CONTACT = []
    assert client.get(SECURITY).status_code == 404


def test_the_contact_is_an_address_or_a_page() -> None:
    given = ["a@example.org", "mailto:b@example.org", "https://example.org/?a=b"]
    assert service_urls.contacts(given) == ["mailto:a@example.org", *given[1:]]
    for wrong in ("http://example.org", "call us", "https://a b", "javascript:x"):
        with pytest.raises(ValueError):
            service_urls.contacts([wrong])


def test_security_txt_is_found_at_its_old_address_too(client: Client, contact: Settings) -> None:
    assert client.get("/security.txt")["Location"] == SECURITY


def test_a_password_manager_finds_the_page_for_a_new_password(people: People) -> None:
    there = "/.well-known/change-password"
    assert browser().get(there)["Location"] == reverse("account_change_password")
    assert browser(people.alice).get(there)["Location"] == reverse("account_set_password")
    assert browser(people.alice).get(there, follow=True).status_code == 200


def test_crawlers_are_kept_from_private_pages(client: Client) -> None:
    response = client.get("/robots.txt")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    lines = response.content.decode().splitlines()
    assert lines[0] == "User-agent: *"
    assert {"Disallow: /m/", "Disallow: /admin/", "Disallow: /accounts/"} <= set(lines)


def test_the_old_address_of_the_icon_leads_to_it(client: Client) -> None:
    assert client.get("/favicon.ico")["Location"] == "/static/icons/favicon.svg"


@pytest.mark.parametrize("name", ["", "-precomposed", "-180x180", "-120x120-precomposed"])
def test_other_icons_are_missing_without_a_warning(
    client: Client, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get(f"/apple-touch-icon{name}.png").status_code == 404
    assert client.get("/favicon.ico").status_code == 302
    assert not caplog.records
