"""GET, HEAD and other methods, at every address of the site."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.urls import reverse
from pytest_django.fixtures import Settings

from onboarding.models import Attempt, Hop
from tests.support.people import People
from tests.support.scripted import Scripted, offered
from tests.support.site_map import Obliging, World, addresses, build, client_of
from tests.support.visit import OPEN, browser, start_attempt, url

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
UNCOUNTED = {"RateLimit", "Session", "Heartbeat"}


@pytest.fixture
def world(people: People, settings: Settings) -> World:
    vendor = Obliging()
    settings.VENDORS = offered(vendor)
    return build(people, vendor)


def rows() -> dict[str, list[Any]]:
    """All rows of all tables, but for sessions and the counts of limits."""
    models = [model for model in apps.get_models() if model.__name__ not in UNCOUNTED]
    return {model.__name__: [*model._default_manager.order_by("pk").values()] for model in models}


@pytest.mark.parametrize("visitor", ["nobody", "alice", "staff"])
def test_whatever_answers_get_answers_head(world: World, visitor: str) -> None:
    client, before = client_of(world.visitors[visitor]), rows()
    # A return answers HEAD with an empty page of its own: a GET spends it.
    asked = {path: client.head(path) for path in addresses(world) if "/return/scripted" not in path}
    assert rows() == before
    for path, head in asked.items():
        got = client.get(path)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.headers.get("Location") == got.headers.get("Location"), path


@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "patch"])
def test_a_method_that_is_not_allowed_gets_the_names_of_those_that_are(
    world: World, method: str
) -> None:
    client, refused = client_of(world.people.alice), 0
    for path in addresses(world):
        response = getattr(client, method)(path)
        if response.status_code == 405:
            allowed, refused = response["Allow"].split(", "), refused + 1
            assert ("GET" in allowed) == ("HEAD" in allowed), path
            assert method.upper() not in allowed, path
    assert refused > 10


def test_an_address_for_forms_says_so_when_it_is_opened(world: World) -> None:
    shop = Attempt.objects.earliest("pk")
    response = browser(world.people.alice).get(url("reconnect", shop))
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert "This page opens only through a form." in response.content.decode()


def test_head_leaves_a_message_for_the_page_that_shows_it(world: World) -> None:
    alice, merchant = browser(world.people.alice), world.people.acme
    team = reverse("team", args=[merchant.reference])
    alice.post(
        reverse("invite", args=[merchant.reference]), {"email": "e@example.org", "role": "member"}
    )
    alice.head(team)
    assert "e@example.org is invited" in alice.get(team).content.decode()


def test_head_of_the_page_leaves_a_return_that_waits_for_its_user(
    people: People, scripted: Scripted
) -> None:
    attempt = start_attempt(people, scripted, OPEN)
    left, state = browser(of=people.alice), str(Hop.objects.get().state)
    left.get(reverse("return", args=["scripted"]), {"state": state})
    browser(people.alice).head(attempt.get_absolute_url())
    assert Hop.objects.get().claimed is None
