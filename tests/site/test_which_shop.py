"""Which shop it is: its address and its account at the vendor, shown, and asked about when they differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

import vendors
from onboarding.catalogue import refresh
from onboarding.models import Attempt, Connection, Connector
from tests.support.merchant import Browser
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.staff import staff_client
from tests.support.visit import browser, offer, url, visible_text
from vendors import sandbox
from vendors.contract import Ask, Connected, Progress, Question, Step, text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
FOUND = Connected(
    shop_id="shop-1", evidence=text("The vendor lists it."), address="https://www.lamps.example/"
)


@pytest.fixture
def alice(people: People, scripted: Scripted) -> Client:
    return browser(people.alice)


def check_page(people: People) -> str:
    return f"/m/{people.acme.reference}/connect/{offer().slug}/"


def connect(people: People, scripted: Scripted, address: str, *steps: Step) -> Attempt:
    """Alice enters this address on the check page, and the vendor answers."""
    scripted.script.extend(steps)
    form = {"name": "My shop", "address": address, "another": "1"}
    response = browser(people.alice).post(check_page(people), form)
    assert response.status_code == 303, visible_text(response)
    return Attempt.objects.latest("pk")


# -- the address -----------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["nonsense", "me@shop.example", "a b.example", "http://"])
def test_nonsense_is_an_error_at_the_field(people: People, alice: Client, typed: str) -> None:
    response = alice.post(check_page(people), {"name": "My shop", "address": typed})
    assert "Enter the address of your shop, such as shop.example.com." in visible_text(response)
    assert f'value="{typed}"' in response.content.decode()
    assert not Connection.objects.exists()


@pytest.mark.parametrize(
    "typed", ["", "lamps.example", "HTTP://WWW.Lamps.example:80/de/?page=1", "lamps.example."]
)
def test_trivial_differences_are_no_question(
    people: People, scripted: Scripted, typed: str
) -> None:
    attempt = connect(people, scripted, typed, FOUND)
    assert (attempt.answer, attempt.connection.address) == ("connected", "lamps.example")


def test_punycode_and_letters_are_one_address(people: People, scripted: Scripted) -> None:
    found = replace(FOUND, address="https://xn--bcher-kva.example")
    assert connect(people, scripted, "Bücher.example", found).answer == "connected"
    assert Connection.objects.get().address == "bücher.example"


def test_another_address_than_was_entered_is_asked_about_at_first_connect(
    people: People, scripted: Scripted, alice: Client
) -> None:
    attempt = connect(people, scripted, "sofas.example/de", FOUND)
    said = visible_text(alice.get(attempt.get_absolute_url()))
    assert (attempt.answer, attempt.connection.shop_id) == ("wrong_shop", "")
    for expected in (
        "Is this the shop you meant?",
        "You entered sofas.example/de. The shop at Scripted is lamps.example. Nothing was changed.",
        "Found at Scripted lamps.example The vendor lists it.",
        *("Use this shop", "Go back and choose again", "Connect it as a second shop"),
    ):
        assert expected in said


def test_the_found_shop_is_used_with_its_own_address(
    people: People, scripted: Scripted, alice: Client
) -> None:
    attempt = connect(people, scripted, "sofas.example", FOUND, FOUND)
    alice.post(url("use-found", attempt))
    shop = Connection.objects.get()
    assert (shop.status, shop.shop_id, shop.address) == ("connected", "shop-1", "lamps.example")


def test_a_second_shop_takes_what_was_found_and_the_first_can_be_begun_again(
    people: People, scripted: Scripted, alice: Client
) -> None:
    attempt = connect(people, scripted, "sofas.example", FOUND, FOUND, FOUND)
    alice.post(url("both", attempt), {"name": "Lamps"})
    first, second = Connection.objects.order_by("pk")
    assert (second.status, second.address) == ("connected", "lamps.example")
    assert (first.status, first.address) == ("action_needed", "sofas.example")
    assert "“My shop” is not connected yet." in visible_text(alice.get(first.get_absolute_url()))
    alice.post(url("reconnect", first))
    assert first.attempts.latest("pk").answer == "wrong_shop"


def test_going_back_asks_the_vendor_again(
    people: People, scripted: Scripted, alice: Client
) -> None:
    attempt = connect(people, scripted, "sofas.example", FOUND)
    scripted.script.append(replace(FOUND, address="sofas.example", shop_id="shop-2"))
    alice.post(url("go-back", attempt))
    assert Connection.objects.get().shop_id == "shop-2"


def test_the_address_is_changed_on_the_page_of_the_name(
    people: People, scripted: Scripted, alice: Client
) -> None:
    shop = connect(people, scripted, "lamps.example", replace(FOUND, address="")).connection
    page = f"{shop.get_absolute_url()}rename/"
    assert 'value="lamps.example"' in alice.get(page).content.decode()
    alice.post(page, {"name": "My shop", "address": "https://sofas.example/"})
    assert Connection.objects.get().address == "sofas.example"
    alice.post(page, {"name": "My shop", "address": ""})
    assert Connection.objects.get().address == ""


def test_who_is_told_the_address_by_the_vendor_is_not_asked_for_it(
    people: People, scripted: Scripted, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 'name="address"' in alice.get(check_page(people)).content.decode()
    monkeypatch.setattr(Scripted, "tells_address", True)
    assert 'name="address"' not in alice.get(check_page(people)).content.decode()
    shop = connect(people, scripted, "", FOUND).connection
    assert 'name="address"' not in alice.get(f"{shop.get_absolute_url()}rename/").content.decode()


# -- where it is shown -----------------------------------------------------------------------------


def test_every_page_says_which_shop_it_is(
    people: People, scripted: Scripted, alice: Client
) -> None:
    whose = Progress(account_key="u-1", account_label="ann@lamps.example", promote=True)
    ask = Ask(
        note=text("There are two."), heading=text("Which shop?"),
        questions=(Question(key="which", label=text("Which one?")),),
    )  # fmt: skip
    attempt = connect(people, scripted, "lamps.example", whose, ask)
    question = visible_text(alice.get(attempt.get_absolute_url()))
    assert "Which shop?" in question
    assert "lamps.example" in question
    assert "Signed in at Scripted as ann@lamps.example" in question
    scripted.script.append(FOUND)
    alice.post(url("answer", attempt), {"answer_which": "this"})
    for page in (attempt.get_absolute_url(), attempt.connection.get_absolute_url()):
        assert "lamps.example Account: ann@lamps.example Added " in visible_text(alice.get(page))
    home = visible_text(alice.get(people.acme.get_absolute_url()))
    assert "lamps.example Account: ann@lamps.example" in home
    assert "Your other shops use the Scripted account ann@lamps.example." in visible_text(
        alice.get(check_page(people))
    )


def test_staff_find_a_shop_by_its_address_and_by_its_account(
    people: People, scripted: Scripted
) -> None:
    whose = Progress(account_key="u-1", account_label="ann@lamps.example", promote=True)
    shop = connect(people, scripted, "lamps.example", whose, FOUND).connection
    staff = staff_client()
    for term in ("lamps.exa", "ann@lamps"):
        listed = staff.get("/admin/onboarding/connection/", {"q": term})
        assert "My shop" in visible_text(listed)
    page = visible_text(staff.get(f"/admin/onboarding/connection/{shop.pk}/change/"))
    assert "lamps.example" in page
    assert "ann@lamps.example" in page


# -- the account at itembase, over real HTTP -------------------------------------------------------


@pytest.fixture
def stage(tmp_path: Path, settings: Settings) -> Iterator[sandbox.Running]:
    running = sandbox.start(tmp_path, vendors=["itembase"])
    settings.VENDORS = vendors.load(sandbox.environ(running.url, "itembase"))
    refresh.refresh_catalogue(settings.VENDORS.offered["itembase"])
    yield running
    running.stop()


@pytest.fixture
def merchant(people: People, stage: sandbox.Running) -> Browser:
    return Browser(people.alice, people.acme)


def sign_in_as(merchant: Browser, email: str, name: str = "My shop") -> Attempt:
    """Connect a shop through the itembase account with this address."""
    merchant.vendor.cookies.clear()
    connector = Connector.objects.get(slug="itembase-ebay")
    merchant.travel(merchant.connect(connector, name), email=email)
    return Attempt.objects.latest("pk")


def disconnect(merchant: Browser) -> None:
    shop = Connection.objects.exclude(status="disconnected").get()
    merchant.press(f"{shop.get_absolute_url()}disconnect/")


def test_itembase_says_whose_account_it_is(merchant: Browser) -> None:
    attempt = sign_in_as(merchant, "ann@lamps.example")
    assert attempt.connection.account_label == "ann@lamps.example"
    assert "Account: ann@lamps.example" in merchant.page(attempt.get_absolute_url())


def test_another_itembase_account_than_before_is_asked_about_at_first_connect(
    merchant: Browser,
) -> None:
    sign_in_as(merchant, "ann@lamps.example")
    disconnect(merchant)
    attempt = sign_in_as(merchant, "bob@sofas.example")
    page = merchant.page(attempt.get_absolute_url())
    assert (attempt.answer, attempt.connection.shop_id) == ("wrong_shop", "")
    assert (
        "You used the itembase account bob@sofas.example. Before, you used ann@lamps.example."
        in page
    )
    merchant.travel(merchant.press(f"{attempt.get_absolute_url()}use/"))
    shop = Connection.objects.get(pk=attempt.connection_id)
    assert (shop.status, shop.account_label) == ("connected", "bob@sofas.example")


def test_going_back_lets_the_merchant_sign_in_with_the_account_of_before(merchant: Browser) -> None:
    sign_in_as(merchant, "ann@lamps.example")
    disconnect(merchant)
    attempt = sign_in_as(merchant, "bob@sofas.example")
    back = merchant.press(f"{attempt.get_absolute_url()}back/")
    merchant.vendor.cookies.clear()
    merchant.travel(back, email="ann@lamps.example")
    attempt.refresh_from_db()
    assert attempt.found_account == "ann@lamps.example"
    assert attempt.answer in {"connected", "ask"}


def test_an_account_that_was_renamed_is_the_same_account(
    merchant: Browser, stage: sandbox.Running
) -> None:
    sign_in_as(merchant, "ann@lamps.example")
    disconnect(merchant)
    stage.change("itembase", "users", {"email": "ann@lamps.example"}, email="anna@lamps.example")
    attempt = sign_in_as(merchant, "anna@lamps.example")
    assert attempt.answer in {"connected", "ask"}
    labels = set(Connection.objects.values_list("account_label", flat=True))
    assert labels == {"anna@lamps.example"}
