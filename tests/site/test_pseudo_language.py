"""Each page of a merchant can be read in another language: no sentence of ours stands in English alone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

import vendors
from onboarding import languages, moments
from onboarding.catalogue import refresh
from onboarding.models import Connection, Connector, Consent, Merchant, User
from tests.contract.row import contracts
from tests.shots import world
from tests.support import pseudo
from vendors import sandbox
from vendors.sandbox import Running

# What the scripted vendor says, and what Celigo's sandbox says of its connectors: data, for the site.
SCRIPTED = {
    "The vendor lists it.",
    "The vendor says what it says in this place, in a sentence or two.",
    "eBay shop of today",
    "eBay shop of yesterday",
    "Which eBay shop?",
}
OF_CELIGO = re.compile(r".* keeps orders, customers, fulfillments and items in sync\.")
# References, keys, letters for a picture, addresses.
NO_WORDS = re.compile(
    r"[a-z0-9]{10}|[A-Z0-9]{4}-[A-Z0-9]{4}|([A-Z2-7]{4} ?){8}|[a-z]{2}|\S+[@.]example\S*"
)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Running]:
    running = sandbox.start(tmp_path / "sandbox")
    yield running
    running.stop()


@pytest.fixture
def pages(transactional_db: None, settings: Settings, stage: Running) -> list[tuple[str, str, str]]:
    """(name, path, session) of each page that is no page of staff or of a vendor."""
    settings.VENDORS = vendors.load({**os.environ, "SANDBOX": "1", "SANDBOX_URL": stage.url})
    for vendor in settings.VENDORS.offered.values():
        refresh.refresh_catalogue(vendor)
    for contract in contracts().values():
        contract.ready()
    made = world.build()
    return [
        (page["name"], page["path"], made["cookies"][page["who"]])
        for page in made["pages"]
        if page["path"].startswith("/") and not page["path"].startswith("/admin/")
    ]


def names() -> set[str]:
    """What is the same in every language: people, businesses, shops, vendors, connectors, the brand, and
    the places of time zones."""
    rows = (
        *User.objects.all(),
        *Merchant.objects.all(),
        *Connector.objects.filter(takes_any=False),
    )
    found = {str(row) for row in rows} | {*Connection.objects.values_list("name", flat=True)}
    found |= {part for row in User.objects.all() for part in (row.name, row.email)}
    zones = [key.replace("_", " ").partition("/") for key in moments.zones_to_choose()]
    found |= {part for area, _, place in zones for part in (area, place)}
    found |= {*languages.NAMES.values()}
    return found | {"Pseudo", "Gangway", "Acme", "Basket King", "Zencart", *VENDORS} - {""}


VENDORS = ("itembase", "Sharespine", "Celigo integrator.io", "Capillary")


def test_pages_say_nothing_in_english_alone(pages: list[tuple[str, str, str]]) -> None:
    Consent.objects.all().delete()  # a receipt stays in the language of its reader
    with pseudo.spoken():
        found = {
            f"{name}: {line}"
            for name, path, session in pages
            for line in pseudo.outside_of_page(shown(path, session))
        }
    assert len(pages) > 100
    known = names()
    assert sorted(each for each in found if not is_data(each.partition(": ")[2], known)) == []


def shown(path: str, session: str) -> str:
    client = Client(raise_request_exception=False)
    client.cookies["gangway_session"] = session
    answer = client.get(path, headers={"Accept-Language": pseudo.CODE})
    is_page = "html" in answer.headers.get("Content-Type", "") and answer.status_code != 302
    return answer.content.decode() if is_page else ""


def is_data(line: str, known: set[str]) -> bool:
    bare = line.removesuffix("– Gangway").strip(" ·:")
    if bare in SCRIPTED | known or OF_CELIGO.fullmatch(bare):
        return True
    return bool(NO_WORDS.fullmatch(bare)) or not pseudo.WORD.search(bare)
