"""itembase: selfservice links, OAuth in both methods, the user, the shops and the activation."""

from __future__ import annotations

from functools import partial

from django.conf import settings

from onboarding.models import Account, Connection
from onboarding.models.memo import readable
from tests.faults.scene import Driver, Matrix, Scene
from tests.vendors.itembase.contract import at_the_desk

VALID = "itembase confirms that your eBay shop is connected"
ONE = {"users": 1, "connections": 1}
TWO = {"users": 1, "connections": 2}
TOKENS, INSTANCES = "POST /selfservice/v1/tokens", "GET /api/v1/users/{user}/instances"
OAUTH = "/accounts/oauth/v2/token"
POST = {"ITEMBASE_TOKEN_METHOD": "POST"}


def connected(driver: Driver) -> None:
    """A while ago: the tokens are not young any more."""
    driver.connect()
    account = Account.objects.get()
    account.memo = (memo := readable(account.memo)) | {"at": memo["at"] - 3600}
    account.save()


def with_a_code(driver: Driver) -> None:
    """The merchant is about to come back with a code, and it will not run out meanwhile."""
    driver.next_url = driver.leave()
    while "code=" not in driver.next_url:
        ours = driver.next_url.startswith(("/", settings.SITE_URL))
        way = (
            driver.browser.come_back if ours else partial(driver.browser.at_vendor, case="approve")
        )
        driver.next_url = way(driver.next_url)
    driver.injector.stage.change("itembase", "codes", {}, expires_at=2_000_000_000)


def second(driver: Driver) -> None:
    driver.connect("My second shop")


def expired(driver: Driver) -> None:
    """The access token has expired."""
    connected(driver)
    at_the_desk(driver.injector.stage, do="expire")


def reconnect(driver: Driver) -> None:
    driver.press("reconnect")


def unactivated(driver: Driver) -> None:
    """The merchant does not allow it at once: then there is an activation."""
    driver.connect("My shop", "unactivated")


def mend_check(driver: Driver) -> None:
    """A rotation whose answer was lost ends as one sign-in."""
    driver.check()
    if Connection.objects.get().status != "connected":
        driver.press("reconnect")


# It succeeds with 400 and the code invalid_grant; a 400 whose code we cannot read is a no.
UNREAD = {
    "half the JSON": "no",
    "empty": "no",
    "wrong types": "no",
    "oversized": "no",
    "text": "no",
}
NONE: dict[str, int] = {}
LINKED = "known only as a link in the list of shops, of which we need no more"
NOT_MADE = {f"{INSTANCES}/{{id}}{more}": LINKED for more in ("", "/meta", "/connections")}
SCENES = (
    Scene(
        route=f"GET {OAUTH}", when="the probe", sort="desk",
        act=Driver.probe, says="accepted", after=NONE, ends="",
        but=UNREAD, why="it asks with a token that nobody has, and 400 invalid_grant is the yes",
    ),
    Scene(
        route=TOKENS, when="the probe", sort="desk",
        act=Driver.probe, says="accepted", after=NONE, ends="",
    ),
    Scene(
        route=TOKENS, when="example 1: a merchant’s first shop", sort="trip",
        act=Driver.connect, says=VALID, after=ONE,
    ),
    Scene(
        route=TOKENS, when="example 2: another shop of theirs", sort="trip",
        ready=connected, act=second, says=VALID, after=TWO,
    ),
    Scene(
        route=TOKENS, when="example 3: reconnecting a shop", sort="trip",
        ready=connected, act=reconnect, says=VALID, after=ONE,
    ),
    Scene(
        route=f"GET {OAUTH}", when="a code for tokens", sort="trip",
        ready=with_a_code, act=Driver.come_back, says=VALID, after=ONE, during="checking",
    ),
    Scene(
        route=f"POST {OAUTH}", when="a code for tokens, with ITEMBASE_TOKEN_METHOD=POST",
        sort="trip", settings=POST, ready=with_a_code, act=Driver.come_back, says=VALID, after=ONE,
        during="checking",
    ),
    Scene(
        route=f"GET {OAUTH}", when="renewing tokens, in a check", sort="check",
        ready=expired, act=Driver.check, says=VALID, after=ONE, recover=mend_check,
    ),
    Scene(
        route=f"POST {OAUTH}", when="renewing tokens for another shop", sort="trip", settings=POST,
        ready=expired, act=second, says=VALID, after=TWO,
    ),
    Scene(
        route="GET /users/v1/me", when="whose tokens they are", sort="trip", retried=True, during="checking",
        act=Driver.connect, says=VALID, after=ONE,
    ),
    Scene(
        route=INSTANCES, when="which shop was added", sort="trip", retried=True, during="checking",
        act=Driver.connect, says=VALID, after=ONE,
    ),
    Scene(
        route=INSTANCES, when="the check of a connected shop", sort="check",
        ready=connected, act=Driver.check, says=VALID, after=ONE, recover=mend_check,
    ),
    Scene(
        route="GET /solution/activate", when="a shop that is not shared yet", sort="trip", retried=True,
        during="checking", act=unactivated, says=VALID, after=ONE,
    ),
)  # fmt: skip
MATRIX = Matrix(
    slug="itembase", name="itembase", scenes=SCENES, not_made=NOT_MADE,
    opens={
        "tokens": ["id"], "codes": ["id"], "grants": ["id", "refresh_token"], "activations": ["id"],
    },
)  # fmt: skip
