"""Celigo integrator.io: its twelve calls, and the one that says whose token it is."""

from __future__ import annotations

import requests

from onboarding.catalogue.refresh import refresh_catalogue
from onboarding.models import Connection, Connector
from tests.faults.kinds import Fault, in_sandbox
from tests.faults.rules import FINE
from tests.faults.scene import Driver, Matrix, Scene, advance_due
from tests.vendors.celigo.contract import PRESET, account, install
from tests.vendors.celigo.contract import at_celigo as press_there
from vendors.celigo.sandbox.rules import TOKEN

ONE, TWO = {"licenses": 1}, {"licenses": 2}
NONE: dict[str, int] = {}
FOUR, FIVE = {"connectors": 4}, {"connectors": 5}
INSTALL, INSTALLED = "Your licence is ready", "integrator.io confirms that the app is installed."
CONNECTOR = "/v1/connectors/{_id}"
LICENCES = f"{CONNECTOR}/licenses"
LICENCE = f"{LICENCES}/{{_id_of_license}}"
# With Nothing of the answer read, what it holds does not matter.
UNREAD = {
    "half the JSON": FINE,
    "HTML": FINE,
    "empty": FINE,
    "wrong types": FINE,
    "oversized": FINE,
    "text": FINE,
}
NOT_SAID = "what it answers is not documented, so nothing of it is read: the status decides"


def signed_up(driver: Driver) -> None:
    account(driver.injector.stage, driver.browser)


def among_others(driver: Driver) -> None:
    """A stranger has a licence of this connector, so that the list of them is not empty."""
    signed_up(driver)
    url = f"{driver.injector.stage.url}/celigo/v1/connectors/{PRESET}/licenses"
    licence = {"email": "charlie@example.org", "expires": "2030-01-01T00:00:00.000Z", "opts": {}}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    requests.post(url, json=licence, headers=headers, timeout=5).raise_for_status()
    driver.injector.stage.change("celigo", "licenses", {}, email="stranger@example.org")


def begin(driver: Driver) -> None:
    driver.connect(slug=f"celigo-{PRESET}")


def recover(driver: Driver) -> None:
    """The pause after a lost answer is over; the merchant installs the app there."""
    advance_due()
    install(driver.injector.stage)
    driver.go_on()


def installed(driver: Driver) -> None:
    signed_up(driver)
    begin(driver)
    press_there(driver.injector.stage, "approve")
    driver.go_on()


def ended(driver: Driver) -> None:
    installed(driver)
    driver.press("disconnect")


def rename(driver: Driver) -> None:
    """Somebody gives a connector another name there."""
    rows = driver.injector.stage.state("celigo")["connectors"]
    fields = {**rows[0]["fields"], "name": "Renamed"}
    where = {"id": rows[0]["id"]}
    driver.injector.stage.change("celigo", "connectors", where, name="Renamed", fields=fields)


def refresh(driver: Driver) -> None:
    refresh_catalogue(driver.vendor)


def at_connector(driver: Driver, key: str, **answers: str) -> None:
    row = Connector.objects.get(slug=f"celigo-{PRESET}")
    driver.submit_admin("connector_act", row.pk, key, **answers)


def make(driver: Driver) -> None:
    """Staff make a connector, unless they look and see that it is there already."""
    if not any(row["name"] == "New" for row in driver.injector.stage.state("celigo")["connectors"]):
        answers = {"answer_name": "New", "answer_published": "true"}
        driver.submit_admin("connector_run", "celigo", "create-connector", **answers)


def edit(driver: Driver) -> None:
    at_connector(driver, "edit-connector", answer_description="Better")


def delete(driver: Driver) -> None:
    at_connector(driver, "delete-connector", answer_id=PRESET)


def push(driver: Driver) -> None:
    ids = [row["id"] for row in driver.injector.stage.state("celigo")["integrations"]]
    at_connector(driver, "push-update", ids=ids[0], confirmed="1")


def renew(driver: Driver) -> None:
    shop = Connection.objects.get()
    driver.submit_admin("connection_act", shop.pk, "renew", answer_until="2028-01-31")


def drop(driver: Driver) -> None:
    shop = Connection.objects.get()
    driver.submit_admin("connection_act", shop.pk, "delete", answer_id=shop.key)


CONFIRMED = "has confirmed it."


def errors(code: str) -> dict[str, object]:
    return {"errors": [{"code": code, "message": "A fault that was asked for."}]}


# `errors` decide, whatever the status.
OWN = (
    Fault(name="200, rate_limited", means="limit", how="200 with the error rate_limited",
          inject=in_sandbox("status", status=200, body=errors("rate_limited"))),
    Fault(name="200, access_restricted", means="no", how="200 with the error access_restricted",
          inject=in_sandbox("status", status=200, body=errors("access_restricted"))),
)  # fmt: skip
NO_BODY = {"empty": FINE, "wrong types": FINE, "text": FINE}
ACCEPTED = "204 without a body is documented, 200 elsewhere: any JSON is taken, a page is not"
NOT_MADE = {
    f"POST {LICENCE}/upgradeRequest": "merchants make it, in integrator.io",
    "GET /v1/tokenInfo": "it also answers a token that may not see connectors, so the probe lists them",
}
SCENES = (
    Scene(
        route="GET /v1/connectors", when="the probe", sort="desk",
        act=Driver.probe, says="accepted", after=NONE, ends="",
    ),
    Scene(
        route="GET /v1/connectors", when="the catalogue, hourly", sort="catalogue",
        ready=rename, act=refresh, says="Renamed", after=FOUR, ends="", but={},
    ),
    Scene(
        route="GET /v1/connectors", when="staff compare", sort="desk",
        ready=installed, act=Driver.compare, says="charlie@example.org", after=ONE,
    ),
    Scene(
        route="POST /v1/connectors", when="staff make a connector", sort="desk-creates",
        act=make, says=CONFIRMED, after=FIVE, ends="",
    ),
    Scene(
        route=f"GET {CONNECTOR}", when="staff change a connector", sort="desk",
        act=edit, says=CONFIRMED, after=FOUR, ends="",
    ),
    Scene(
        route=f"PUT {CONNECTOR}", when="staff change a connector", sort="desk",
        act=edit, says=CONFIRMED, after=FOUR, ends="",
    ),
    Scene(
        route=f"DELETE {CONNECTOR}", when="staff delete a connector", sort="desk",
        act=delete, says=CONFIRMED, after=FOUR, ends="",
        but=NO_BODY, why=ACCEPTED,
    ),
    Scene(
        route=f"GET {CONNECTOR}/installBase", when="staff look who has installed it", sort="desk",
        ready=installed, act=lambda driver: at_connector(driver, "install-base"),
        says="charlie@example.org", after=ONE,
    ),
    Scene(
        route=f"PUT {CONNECTOR}/update", when="staff push an update", sort="desk",
        ready=installed, act=push, says="The update was pushed", after=ONE,
        but=UNREAD, why=NOT_SAID,
    ),
    Scene(
        route=f"GET {LICENCES}", when="before a licence is made", sort="trip",
        ready=among_others, act=begin, says=INSTALL, after=TWO, recover=recover,
    ),
    Scene(
        route=f"POST {LICENCES}", when="a merchant’s licence", sort="creates", retried=True,
        ready=signed_up, act=begin, says=INSTALL, after=ONE, recover=recover,
        but={"made": "found"}, why="licences are listed for an email address",
    ),
    Scene(
        route=f"GET {LICENCE}", when="once it is made", sort="trip", retried=True,
        ready=signed_up, act=begin, says=INSTALL, after=ONE, recover=recover,
    ),
    Scene(
        route=f"GET {LICENCE}", when="the check of a connected shop", sort="check",
        ready=installed, act=Driver.check, says=INSTALLED, after=ONE,
    ),
    Scene(
        route=f"PUT {LICENCE}", when="disconnecting", sort="trip",
        ready=installed, act=lambda driver: driver.press("disconnect"),
        says="is disconnected", after=ONE, ends="disconnected",
    ),
    Scene(
        route=f"PUT {LICENCE}", when="reconnecting", sort="trip",
        ready=ended, act=lambda driver: driver.press("reconnect"), says=INSTALLED, after=ONE,
    ),
    Scene(
        route=f"PUT {LICENCE}", when="staff renew a licence", sort="desk",
        ready=installed, act=renew, says=CONFIRMED, after=ONE,
    ),
    Scene(
        route=f"DELETE {LICENCE}", when="staff delete a licence", sort="desk",
        ready=installed, act=drop, says=CONFIRMED, after=ONE, ends="",
        but=NO_BODY, why=ACCEPTED,
    ),
)  # fmt: skip
MATRIX = Matrix(
    slug="celigo", name="Celigo integrator.io", scenes=SCENES, own=OWN, not_made=NOT_MADE
)
