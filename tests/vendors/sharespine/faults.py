"""Sharespine: the four creations, the door, the Tenant API, and the verbs that are not documented."""

from __future__ import annotations

from django.conf import settings

import vendors
from onboarding.models import Account
from tests.faults.rules import FINE
from tests.faults.scene import Driver, Matrix, Scene
from tests.vendors.sharespine.caller import MANAGE, agree
from tests.vendors.sharespine.contract import right
from vendors import sandbox

ROOM = {"tenants": 1, "users": 2, "connections": 1}
WORD = "You marked the set-up as finished"
SURE = "Sharespine confirms the connection."
TENANT = "/reseller/tenant/{codeName}"
# The page names the deed and no verb: where Sharespine has not agreed on one, staff have to ask it.
ASKS = {"odd": "by hand", "no": "by hand"}
UNDOCUMENTED = "the verb is not documented: a no means that Sharespine has to be asked"
ANY_SHAPE = "the shape of its answer is not public: any object is taken for one"


def connected(driver: Driver) -> None:
    driver.connect()


def known(driver: Driver) -> None:
    """Staff have entered the password of the API user, and it was good."""
    driver.connect()
    right(driver.injector.stage)
    driver.check()


def at_sharespine(driver: Driver) -> None:
    """The merchant has an order there, and staff enter the password meanwhile."""
    driver.browser.travel(driver.leave(), "order")
    right(driver.injector.stage)


def finish(driver: Driver) -> None:
    """ "I have finished": now the Tenant API is asked."""
    driver.browser.press(f"{driver.attempt.get_absolute_url()}finish/")


def managed(driver: Driver) -> None:
    """Sharespine has agreed, and the operator has set SHARESPINE_MANAGE."""
    connected(driver)
    agree(driver.injector.stage)
    environ = {**sandbox.environ(driver.injector.stage.url, "sharespine"), **MANAGE}
    settings.VENDORS = vendors.load(environ)


def paused(driver: Driver) -> None:
    managed(driver)
    driver.press("pause")


def delete(driver: Driver) -> None:
    account = Account.objects.get()
    tenant = str(driver.injector.stage.state("sharespine")["tenants"][0]["id"])
    driver.submit_admin(
        "account_act", account.pk, "delete-tenant", answer_code_name=tenant, answer_state="there"
    )


NOT_MADE = {
    "GET /api/order/{localId}": "what is in an order is none of our business",
    "POST /api/log/event": "it tells the merchant of errors in orders, which we do not handle",
}
SCENES = (
    Scene(
        route="POST /reseller/tenant", when="a merchant’s first shop", sort="blind",
        act=connected, says=WORD, after=ROOM, ends="reported",
    ),
    Scene(
        route=f"POST {TENANT}/user", when="a sign-in for the member", retried=True, sort="blind",
        act=connected, says=WORD, after=ROOM, ends="reported",
    ),
    Scene(
        route=f"POST {TENANT}/user", when="a sign-in for the API", retried=True, sort="blind", skip=1,
        act=connected, says=WORD, after=ROOM, ends="reported",
    ),
    Scene(
        route=f"POST {TENANT}/connection", when="the API connection", retried=True, sort="blind",
        act=connected, says=WORD, after=ROOM, ends="reported",
    ),
    Scene(
        route=f"POST {TENANT}/login/{{login}}", when="the way to its pages", retried=True, sort="trip",
        act=connected, says=WORD, after=ROOM, ends="reported",
    ),
    Scene(
        route=f"POST {TENANT}/login/{{login}}", when="opening its pages again", sort="trip",
        ready=connected, act=lambda driver: driver.press("enter"), says="Sharespine is open",
        after=ROOM, ends="reported",
    ),
    Scene(
        route="GET /api/", when="“I have finished”", sort="trip",
        ready=at_sharespine, act=finish, says=SURE, after=ROOM, during="checking",
        but={"wrong types": FINE, "text": FINE}, why=ANY_SHAPE,
    ),
    Scene(
        route="GET /api/", when="the check of a connected shop", sort="check",
        ready=known, act=Driver.check, says=SURE, after=ROOM,
        but={"wrong types": FINE, "text": FINE}, why=ANY_SHAPE,
    ),
    Scene(
        route="GET /api/order", when="“I have finished”", sort="evidence",
        ready=at_sharespine, act=finish, says=SURE, after=ROOM,
        but={"wrong types": FINE, "text": FINE}, why="rows that we cannot read are left out",
    ),
    Scene(
        route=f"PUT {TENANT}", when="pausing", sort="trip",
        ready=managed, act=lambda driver: driver.press("pause"), says="has switched off data exchange",
        after=ROOM,
        but={**ASKS, "wrong types": FINE, "text": FINE}, why=UNDOCUMENTED, ends="paused",
    ),
    Scene(
        route=f"PUT {TENANT}", when="disconnecting", sort="trip",
        ready=managed, act=lambda driver: driver.press("disconnect"), says="has switched off data exchange",
        after=ROOM,
        but={**ASKS, "wrong types": FINE, "text": FINE}, why=UNDOCUMENTED, ends="disconnected",
    ),
    Scene(
        route=f"PUT {TENANT}", when="resuming", sort="trip",
        ready=paused, act=lambda driver: driver.press("resume"), says=WORD, after=ROOM,
        but={**ASKS, "wrong types": FINE, "text": FINE}, why=UNDOCUMENTED, ends="reported",
    ),
    Scene(
        route=f"DELETE {TENANT}", when="staff delete a space", sort="desk",
        ready=managed, act=delete, says="The shops that used this Sharespine account are disconnected.",
        after=ROOM, but={"wrong types": FINE, "empty": FINE, "text": FINE}, why=ANY_SHAPE,
        ends="disconnected",
    ),
)  # fmt: skip
MATRIX = Matrix(
    slug="sharespine",
    name="Sharespine",
    scenes=SCENES,
    not_made=NOT_MADE,
    opens={"users": ["password"], "logins": ["id"]},
)
