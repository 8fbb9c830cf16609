"""Capillary: the token, the scopes, and what is done with API clients."""

from __future__ import annotations

from collections.abc import Callable

from onboarding.models import Attempt, Connection
from onboarding.models.memo import readable
from tests.contract.row import State
from tests.faults.kinds import Call, Fault, Injector, in_sandbox
from tests.faults.rules import FINE
from tests.faults.scene import Driver, Matrix, Scene
from tests.vendors.capillary.contract import KEY as KEY_WORKS
from vendors.capillary import client

VALID = {"valid": 1}
NONE: dict[str, int] = {}
CLIENTS = "/v3/integrations/clients"
CLIENT = f"{CLIENTS}/{{clientKey}}"
TOKEN = "POST /v3/oauth/token/generate"
STILL, GONE = (
    "Capillary confirms that your key is valid.",
    "We no longer use or check this connection.",
)
NEW = "Your new key works."
ANEW = "Capillary updated the permissions of your key."


def connected(driver: Driver) -> None:
    driver.connect()


def recover(driver: Driver) -> None:
    """The pause after a lost answer is over, as often as one was lost."""
    for _ in range(3):
        for attempt in Attempt.objects.filter(ended=None):
            readable(attempt.connection_memo).pop("not_before", None)
            attempt.save()
        driver.go_on()
        if not Attempt.objects.filter(ended=None).exists():
            return


def rescope(driver: Driver) -> None:
    driver.press("actions/rescope")


def edit(driver: Driver) -> None:
    shop = Connection.objects.get()
    driver.submit_admin("connection_act", shop.pk, "edit", answer_name="Another name")


def rotate(driver: Driver) -> None:
    driver.press("actions/rotate")


def rotated(driver: Driver) -> None:
    """The merchant has a new key, and the one before still works."""
    connected(driver)
    rotate(driver)


def retire(driver: Driver) -> None:
    driver.press("actions/retire")


def error(status: int, code: int) -> Callable[[Injector, Call], None]:
    told = {"data": None, "errors": [{"code": code, "message": "A fault that was asked for."}]}
    return in_sandbox("status", status=status, body=told)


def expired(injector: Injector, call: Call) -> None:
    """Once: a new token is good."""
    told = {"response": {"status": {"success": "true", "code": "498", "message": "Token expired"}}}
    in_sandbox("status", status=498, body=told, times=1)(injector, call)


OWN = (
    Fault(name="498, once", means="nothing", how="498: the token has expired; a new one is good",
          inject=expired),
    Fault(name="461", means="limit", how="461: busy", inject=error(461, 461)),
    Fault(name="521", means="limit", how="521: concurrent actions", inject=error(521, 521)),
    Fault(name="503, 4001", means="limit", how="503 with the error 4001: authorisation unavailable",
          inject=error(503, 4001)),
    Fault(name="403, 4000", means="no", how="403 with the error 4000: denied by an access group",
          inject=error(403, 4000)),
    Fault(name="200, 320001", means="no", how="200 with the error 320001: key and secret are not known",
          inject=error(200, 320001)),
)  # fmt: skip
NO_TOKEN = "this call carries no token that could be renewed"
NAMES = {"ids not in ASCII": FINE}
ANY_NAME = "its texts are names of scopes, which may be in any language"
SCENES = (
    Scene(
        route="GET /v3/integrations/scopes", when="the probe", sort="desk", but=NAMES, why=ANY_NAME,
        act=Driver.probe, says="accepted", after=NONE, ends="",
    ),
    Scene(
        route=TOKEN, when="the operator’s token", sort="trip",
        act=connected, says=KEY_WORKS, after=VALID, recover=recover,
        but={"498, once": "staff"}, why=NO_TOKEN,
    ),
    Scene(
        route=TOKEN, when="trying out the merchant’s key", sort="trip", retried=True, skip=1,
        act=connected, says=KEY_WORKS, after=VALID, recover=recover,
        but={"401": "soon", "498, once": "soon", "200, 320001": "soon"},
        why="a key that was just made may not be known everywhere yet",
    ),
    Scene(
        route="GET /v3/integrations/scopes", when="before a client is made", sort="trip", but=NAMES,
        why=ANY_NAME,
        act=connected, says=KEY_WORKS, after=VALID, recover=recover,
    ),
    Scene(
        route=f"GET {CLIENTS}", when="before a client is announced", sort="trip",
        act=connected, says=KEY_WORKS, after=VALID, recover=recover,
    ),
    Scene(
        route=f"POST {CLIENTS}", when="a merchant’s client", sort="creates", retried=True,
        act=connected, says=KEY_WORKS, after=VALID, recover=recover,
    ),
    Scene(
        route=f"POST {CLIENTS}", when="another key for a shop that works", sort="creates",
        ready=connected, act=rotate, says=NEW, after={"valid": 2}, recover=recover,
    ),
    Scene(
        route=f"GET {CLIENT}", when="the check of a connected shop", sort="check",
        ready=connected, act=Driver.check, says=STILL, after=VALID,
    ),
    Scene(
        route=f"PUT {CLIENT}", when="taking over permissions", sort="trip",
        ready=connected, act=rescope, says=ANEW, after=VALID,
    ),
    Scene(
        route=f"PUT {CLIENT}", when="staff change a client", sort="desk",
        ready=connected, act=edit, says="The API client was changed.", after=VALID,
    ),
    Scene(
        route=f"DELETE {CLIENT}", when="disconnecting", sort="trip",
        ready=connected, act=lambda driver: driver.press("disconnect"), says=GONE, after={"valid": 0},
        ends="disconnected",
    ),
    Scene(
        route=f"DELETE {CLIENT}", when="the old key goes", sort="trip",
        ready=rotated, act=retire, says="Only your newest key works", after=VALID,
    ),
    Scene(
        route=f"GET {CLIENTS}", when="staff look at all clients", sort="desk",
        ready=connected, act=lambda driver: driver.submit_admin("connector_run", "capillary", "clients"),
        says="Created for the connection", after=VALID,
    ),
)  # fmt: skip


def count(state: State) -> dict[str, int]:
    return {"valid": sum(bool(row["valid"]) for row in state.get("clients", []))}


def forget() -> None:
    client._tokens.clear()
    client._scopes.clear()


MATRIX = Matrix(
    slug="capillary",
    name="Capillary",
    scenes=SCENES,
    own=OWN,
    opens={"clients": ["secret"], "operators": ["secret"], "tokens": ["id"]},
    count=count,
    forget=forget,
)
