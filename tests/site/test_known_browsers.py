"""Browsers where somebody has signed in before: what strangers use up never stops them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.conf import settings as site
from django.core import signing
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.models import RateLimit, User
from onboarding.people import known_browsers
from onboarding.people.askers import Asker
from tests.support.codes import ANNA, KINDS, anna, forget_mails, newest_code, wrong
from tests.support.passkeys import add_passkey
from tests.support.people import person

pytestmark = pytest.mark.django_db
SIGN_IN = KINDS[0]
STRANGER, HOME = "203.0.113.7", "192.0.2.10"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def user() -> User:
    return anna()


def sign_in(browser: Client, email: str = ANNA) -> Client:
    forget_mails()
    browser.post("/accounts/login/", {"email": email})
    assert browser.post(SIGN_IN.page, {"code": newest_code()}).status_code == 302
    browser.post("/accounts/logout/")
    return browser


def knows(browser: Client, email: str = ANNA) -> bool:
    request = RequestFactory().get("/")
    request.COOKIES = {name: cookie.value for name, cookie in browser.cookies.items()}
    return bool(known_browsers.id_for(request, email))


def spend_mails(ip: str = HOME) -> None:
    """A stranger asks as often as one may."""
    for _ in range(10):
        Client(REMOTE_ADDR=ip).post("/accounts/login/", {"email": ANNA})
        RateLimit.objects.filter(key__startswith="just sent:").delete()


def test_a_browser_is_known_after_a_sign_in_and_stays_so_signed_out(user: User) -> None:
    browser = sign_in(Client(REMOTE_ADDR=HOME))
    assert knows(browser)
    assert not knows(browser, "somebody@else.example")
    assert not knows(Client())


def test_asking_and_guessing_make_no_browser_known(client: Client, user: User) -> None:
    SIGN_IN.ask(client)
    SIGN_IN.enter(client, wrong(newest_code()))
    assert site.KNOWN_COOKIE_NAME not in client.cookies


def test_its_cookie_is_bound_to_this_host_and_no_script_reads_it(
    user: User, settings: Settings
) -> None:
    settings.HTTPS = True
    cookie = sign_in(Client()).cookies[site.KNOWN_COOKIE_NAME]
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
    assert (cookie["path"], cookie["domain"], cookie["max-age"]) == ("/", "", 180 * 24 * 3600)
    assert ANNA not in cookie.value


def test_a_cookie_of_another_key_counts_for_nothing(user: User) -> None:
    browser = sign_in(Client())
    contents = signing.loads(
        browser.cookies[site.KNOWN_COOKIE_NAME].value, salt=known_browsers.SALT
    )
    browser.cookies[site.KNOWN_COOKIE_NAME] = signing.dumps(
        contents, key="another", salt=known_browsers.SALT
    )
    assert not knows(browser)
    browser.cookies[site.KNOWN_COOKIE_NAME] = "rubbish"
    assert SIGN_IN.ask(browser).status_code == 302


def test_a_cookie_made_for_one_person_helps_nobody_else(user: User) -> None:
    """Even its owner, who knows its contents, cannot make it say another person."""
    person("kim@shop.example", "Kim")
    browser = sign_in(Client(), "kim@shop.example")
    assert knows(browser, "kim@shop.example")
    assert not knows(browser)


def test_it_is_known_for_half_a_year(user: User, clock: time_machine.Traveller) -> None:
    browser = sign_in(Client())
    clock.shift(179 * 24 * 3600)
    assert knows(browser)
    clock.shift(2 * 24 * 3600)
    assert not knows(browser)


def test_several_people_share_a_browser_and_the_first_of_six_is_forgotten(user: User) -> None:
    browser = sign_in(Client())
    others = [f"p{number}@shop.example" for number in range(5)]
    for email in others:
        assert knows(browser)
        sign_in(browser, email)
    assert not knows(browser)
    assert all(knows(browser, email) for email in others)


def test_a_password_that_is_changed_elsewhere_makes_it_a_strangers(user: User) -> None:
    browser = sign_in(Client())
    user.set_password("a long enough phrase")
    user.save()
    assert not knows(browser)


def test_a_passkey_that_staff_removed_makes_it_a_strangers(user: User) -> None:
    add_passkey(user)
    browser = sign_in(Client())
    assert knows(browser)
    Authenticator.objects.all().delete()
    assert not knows(browser)


def test_who_changes_their_own_password_stays_known_there_alone(client: Client, user: User) -> None:
    other = sign_in(Client())
    forget_mails()
    client.post("/accounts/login/", {"email": ANNA})
    client.post(SIGN_IN.page, {"code": newest_code()})
    phrase = {"password1": "a long enough phrase", "password2": "a long enough phrase"}
    assert client.post("/accounts/password/set/", phrase).status_code == 302
    assert (knows(client), knows(other)) == (True, False)


def test_a_closed_account_has_no_known_browser(user: User) -> None:
    browser = sign_in(Client())
    User.objects.update(is_active=False)
    assert not knows(browser)


def test_a_spent_network_stops_strangers_there_and_not_the_owner(user: User) -> None:
    browser = sign_in(Client(REMOTE_ADDR=HOME))
    forget_mails()
    spend_mails()
    assert Client(REMOTE_ADDR=HOME).post("/accounts/login/", {"email": ANNA}).status_code == 429
    assert SIGN_IN.ask(browser).status_code == 302
    SIGN_IN.enter(browser, newest_code())
    assert SIGN_IN.worked(browser)


def test_a_known_browser_has_a_limit_of_its_own(user: User, clock: time_machine.Traveller) -> None:
    browser, other = (sign_in(Client(REMOTE_ADDR=HOME)) for _ in range(2))
    forget_mails()
    for _ in range(20):
        assert SIGN_IN.ask(browser).status_code == 302
        clock.shift(11)
    assert SIGN_IN.ask(browser).status_code == 429
    assert SIGN_IN.ask(other).status_code == 302
    assert SIGN_IN.ask(Client(REMOTE_ADDR=HOME)).status_code == 302


def test_wrong_passwords_of_a_stranger_stop_no_known_browser(user: User) -> None:
    user.set_password("a long enough phrase")
    user.save()
    browser, page = sign_in(Client(REMOTE_ADDR=HOME)), "/accounts/login/password/"
    for _ in range(5):
        Client(REMOTE_ADDR=HOME).post(page, {"login": ANNA, "password": "wrong"})
    right = {"login": ANNA, "password": "a long enough phrase"}
    refused = Client(REMOTE_ADDR=HOME).post(page, right)
    assert "Too many tries. Try again in 5 minutes." in refused.content.decode()
    assert Client(REMOTE_ADDR=STRANGER).post(page, right).status_code == 302
    assert browser.post(page, right).status_code == 302


@pytest.mark.both
@pytest.mark.parametrize("typed", ["\0", "a\0@shop.example", "\ud800", "x" * 5000, ""])
def test_whatever_is_typed_in_a_known_browser_is_no_error(
    client: Client, user: User, typed: str
) -> None:
    SIGN_IN.ask(client)
    SIGN_IN.enter(client, newest_code())
    for button in ("action_add", "action_send"):
        form = urlencode({button: "", "email": typed}, errors="surrogatepass")
        sent = client.post(
            "/accounts/email/", form, content_type="application/x-www-form-urlencoded"
        )
        assert sent.status_code in {200, 302}


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("192.0.2.77", ("192.0.2.77", "192.0.2.0/24", False)),
        ("::ffff:192.0.2.77", ("192.0.2.77", "192.0.2.0/24", False)),
        ("2001:db8:1:2:3::4", ("2001:db8:1:2::/64", "2001:db8:1::/48", False)),
        ("fe80::1%eth0", ("fe80::/64", "fe80::/48", False)),
        ("127.0.0.9", ("127.0.0.9", "127.0.0.0/24", True)),
        ("::1", ("::/64", "::/48", True)),
    ],
)
def test_an_asker_has_an_address_and_a_network(
    rf: RequestFactory, ip: str, expected: tuple[str, str, bool]
) -> None:
    asker = Asker.of(rf.post("/", REMOTE_ADDR=ip))
    assert (asker.ip, asker.network, asker.is_local) == expected
