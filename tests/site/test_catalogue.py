"""The catalogue: popular first, one card for each shop system, found by any name and when misspelt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from onboarding.catalogue import names, refresh, uses
from onboarding.models import Connection, Connector
from tests.support.attempts import CONNECTED
from tests.support.outages import begin_outage
from tests.support.people import People, connector
from tests.support.scripted import Scripted, offered
from tests.support.visit import browser, offer, start_attempt, visible_text
from vendors.contract import Entry

pytestmark = pytest.mark.usefixtures("inline_executor")
CATALOGUE = reverse("catalogue")


def listed(query: str = "") -> list[str]:
    """The names on the cards."""
    html = browser().get(CATALOGUE + query).content.decode()
    return re.findall(r'<h2><a href="/connect/[\w-]+/">([^<]+)</a></h2>', html)


def offer_platform(platform: str, name: str, **fields: object) -> Connector:
    return connector("scripted", platform, vendor_name=name, platform=platform, **fields)


@dataclass(frozen=True)
class AnyShop(Scripted):
    """It takes every shop system."""

    slug: ClassVar[str] = "anything"
    name: ClassVar[str] = "Anything"

    def connectors(self) -> tuple[Entry, ...]:
        entry = Entry(key="any", name="another shop system", platform="anything", any_shop=True)
        return (entry,)


@pytest.fixture
def any_shop(settings: Settings, db: None) -> Connector:
    settings.VENDORS = offered(Scripted(), AnyShop())
    refresh.refresh_catalogue(AnyShop())
    return Connector.objects.get(takes_any=True)


# -- order and cards -----------------------------------------------------------------------------


def test_popular_ones_come_first(scripted: Scripted, db: None) -> None:
    offer_platform("a", "A", position=50)
    offer_platform("b", "B", uses=3)
    offer_platform("c", "c")
    offer_platform("d", "D", uses=7)
    offer_platform("e", "E")
    assert listed() == ["A", "D", "B", "c", "E"]


def test_each_connected_shop_counts_for_its_connector(people: People, scripted: Scripted) -> None:
    start_attempt(people, scripted, CONNECTED)
    other = offer_platform("other", "Other", uses=5)
    uses.refresh()
    assert Connector.objects.exclude(pk=other.pk).get().uses == 1
    assert Connector.objects.get(pk=other.pk).uses == 0


def test_two_vendors_and_several_connectors_are_one_card_with_its_ways(
    settings: Settings, db: None
) -> None:
    @dataclass(frozen=True)
    class Other(Scripted):
        slug: ClassVar[str] = "other"
        name: ClassVar[str] = "Other"

    settings.VENDORS = offered(Scripted(), Other())
    offer_platform("shopify", "Shopify")
    erp = connector("other", "erp", vendor_name="Shopify – NetSuite", platform="shopify")
    response = browser().get(CATALOGUE)
    assert listed() == ["Shopify"]
    assert "Shopify Through Scripted Shopify – NetSuite, through Other" in visible_text(response)
    assert f'href="/connect/shopify/?way={erp.slug}"' in response.content.decode()


def test_slugs_of_the_same_shop_system_are_one_card(scripted: Scripted, db: None) -> None:
    offer_platform("magento", "Magento")
    offer_platform("adobe-commerce", "Adobe Commerce")
    assert listed() == ["Magento"]
    for slug in ("magento", "adobe-commerce"):
        said = visible_text(browser().get(reverse("platform", args=[slug])))
        assert re.search(r"Connect (Magento|Adobe Commerce) Through Scripted", said)
        assert re.search(r"There is another way .*(Magento|Adobe Commerce), through Scripted", said)


def test_the_start_page_offers_the_popular_ones_at_once(scripted: Scripted, db: None) -> None:
    for number in range(12):
        offer_platform(f"p{number:02}", f"Platform {number:02}", position=number)
    html = browser().get("/").content.decode()
    found = re.findall(r'href="/connect/(p\d\d)/"', html)
    assert found == [f"p{number:02}" for number in range(8)]
    assert f'action="{CATALOGUE}"' in html


# -- names ---------------------------------------------------------------------------------------

SYSTEMS = {
    "ebay": "eBay", "lightspeed": "Lightspeed", "magento": "Magento", "prestashop": "PrestaShop",
    "shopify": "Shopify", "woocommerce": "WooCommerce",
}  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("SEO shop", "Lightspeed"), ("seoshop", "Lightspeed"), ("Adobe Commerce", "Magento"),
        ("adobe-commerce", "Magento"), ("Magento 2", "Magento"), ("e-bay", "eBay"), ("E BAY", "eBay"),
        ("ｅｂａｙ", "eBay"), ("woo", "WooCommerce"), ("woo commerce", "WooCommerce"),
        ("presta shop", "PrestaShop"), ("Wordpress", "WooCommerce"),
    ],
)  # fmt: skip
def test_a_shop_system_is_found_by_its_other_names(
    scripted: Scripted, db: None, typed: str, found: str
) -> None:
    for slug, name in SYSTEMS.items():
        offer_platform(slug, name)
    assert listed(f"?q={typed}")[0] == found


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("shopfy", "Shopify"), ("shopifiy", "Shopify"), ("magneto", "Magento"), ("ebey", "eBay"),
        ("wocommerce", "WooCommerce"), ("prestashpo", "PrestaShop"), ("lihgtspeed", "Lightspeed"),
        ("woocomm", "WooCommerce"), ("shpif", "Shopify"),
    ],
)  # fmt: skip
def test_a_typing_error_is_found(scripted: Scripted, db: None, typed: str, found: str) -> None:
    for slug, name in SYSTEMS.items():
        offer_platform(slug, name)
    assert listed(f"?q={typed}")[0] == found


@pytest.mark.parametrize("typed", ["oxid", "jtl", "zz", "xyz shop system", "…", "shopware"])
def test_what_is_not_there_is_not_guessed(scripted: Scripted, db: None, typed: str) -> None:
    for slug, name in SYSTEMS.items():
        offer_platform(slug, name)
    assert listed(f"?q={typed}") == []


def test_a_guess_says_that_it_is_one(scripted: Scripted, db: None) -> None:
    offer_platform("shopify", "Shopify")
    said = visible_text(browser().get(f"{CATALOGUE}?q=shopfy"))
    assert "We found no “shopfy” Did you mean one of these?" in said


def test_every_spelling_in_the_table_stands_for_one_shop_system() -> None:
    for slug, known in names.NAMES.items():
        assert {names.key(each) for each in (slug, *known)} == {slug}


@pytest.mark.parametrize("alias", ["magento", "Magento-2", "adobecommerce"])
def test_another_slug_leads_to_the_page(scripted: Scripted, db: None, alias: str) -> None:
    offer_platform("adobe-commerce", "Adobe Commerce")
    response = browser().get(reverse("platform", args=[alias]) + "?way=x")
    assert (response.status_code, response["Location"]) == (302, "/connect/adobe-commerce/?way=x")


# -- what is not listed --------------------------------------------------------------------------


def test_yours_is_not_here_is_always_answered(scripted: Scripted, any_shop: Connector) -> None:
    offer_platform("ebay", "eBay")
    for page in (CATALOGUE, f"{CATALOGUE}?q=ebay", f"{CATALOGUE}?q=oxid", "/connect/oxid/"):
        said = visible_text(browser().get(page))
        assert "Yours is not here?" in said
        assert "Ask for it" in said
        assert "through Anything" in said or "Connect another shop system" in said


def test_what_takes_any_shop_is_no_card_but_has_its_page(any_shop: Connector) -> None:
    assert listed() == []
    assert "another shop system" in visible_text(browser().get("/connect/anything/"))


@pytest.mark.parametrize(
    ("language", "heading"),
    [
        ("en", "Connect another shop system"),
        ("de", "Ein anderes Shopsystem verbinden"),
        ("nl", "Een ander shopsysteem koppelen"),
    ],
)
def test_its_heading_begins_with_a_capital_letter(
    any_shop: Connector, language: str, heading: str
) -> None:
    page = browser().get("/connect/anything/", headers={"accept-language": language})
    html = page.content.decode()
    assert re.search(rf"<h1>\s*{heading}\s*</h1>", html)
    assert re.search(rf"<title>\s*{heading}", html)


def test_the_typed_name_is_carried_to_the_question(people: People, any_shop: Connector) -> None:
    page = browser().get(f"{CATALOGUE}?q=Oxid eShop").content.decode()
    assert 'href="/connect/anything/?system=Oxid%20eShop"' in page
    alice = browser(people.alice)
    html = alice.get("/connect/anything/?system=Oxid%20eShop", follow=True).content.decode()
    assert "Which shop system do you use?" in html
    assert html.count('value="Oxid eShop"') == 1
    assert "Without one, we call it “Oxid eShop”." in html


def test_the_answer_is_kept_with_the_shop(
    people: People, any_shop: Connector, settings: Settings
) -> None:
    page = reverse("connect", args=[people.acme.reference, any_shop.slug])
    form = {"name": "My shop", "answer_system": "Oxid eShop"}
    settings.VENDORS.offered["anything"].script.append(CONNECTED)
    browser(people.alice).post(page, form)
    assert Connection.objects.get().answers == {"system": "Oxid eShop"}


def test_a_new_shop_is_never_called_anything_else(people: People, any_shop: Connector) -> None:
    page = reverse("connect", args=[people.acme.reference, any_shop.slug])
    assert "Without one, we call it “My shop”." in browser(people.alice).get(page).content.decode()


def test_a_vendor_that_is_down_is_marked_there_too(any_shop: Connector) -> None:
    assert "Not reachable right now" not in visible_text(browser().get(CATALOGUE))
    begin_outage(vendor="anything")
    assert "Not reachable right now" in visible_text(browser().get(CATALOGUE))


def test_typing_costs_three_queries_at_most(
    any_shop: Connector, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        offer_platform(f"p{number}", f"Platform {number}")
    for term in ("", "Platform 3", "Shopfront", "oxid"):
        with django_assert_max_num_queries(3):
            browser().get(f"{CATALOGUE}?q={term}", headers={"HX-Request": "true"})


def test_the_offer_of_a_named_connector_is_its_card(scripted: Scripted, db: None) -> None:
    offer(vendor_name="Scripted shop", name="Our shop")
    assert listed() == ["Our shop"]
