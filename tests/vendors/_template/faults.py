"""A scene for each documented call: how the site comes to make it, and what is there in the end."""

from __future__ import annotations

from tests.faults.rules import FINE
from tests.faults.scene import Driver, Matrix, Scene
from tests.vendors._template.caller import CREATE, DELETE, LIST, READ
from tests.vendors._template.contract import pause_is_over

ONE = {"shops": 1}
NO_IDS = {"U+0000": FINE, "long ids": FINE, "ids not in ASCII": FINE}  # the reply has none
APPROVED = "Template confirms that your shop is approved."


def connected(driver: Driver) -> None:
    driver.connect()


def go_on(driver: Driver) -> None:
    """The pause after a lost answer is over, and people go on."""
    pause_is_over(driver.injector.stage)
    driver.go_on()


def disconnect(driver: Driver) -> None:
    driver.press("disconnect")


SCENES = (
    Scene(
        route=LIST, when="the probe", sort="desk",
        act=Driver.probe, says="accepted", after={}, ends="",
        but=NO_IDS, why="no shop is listed yet",
    ),
    Scene(
        route=LIST, when="before a shop is created", sort="trip",
        act=connected, says=APPROVED, after=ONE,
        but=NO_IDS, why="no shop is listed yet",
    ),
    Scene(
        route=CREATE, when="a merchant’s shop", sort="creates", retried=True,
        act=connected, says=APPROVED, after=ONE, recover=go_on,
        but={"made": "found"}, why="shops are listed by our reference",
    ),
    Scene(
        route=READ, when="once it is created", sort="trip", retried=True,
        act=connected, says=APPROVED, after=ONE,
    ),
    Scene(
        route=READ, when="the check of a connected shop", sort="check",
        ready=connected, act=Driver.check, says=APPROVED, after=ONE,
    ),
    Scene(
        route=DELETE, when="disconnecting", sort="trip",
        ready=connected, act=disconnect, says="is deleted", after=ONE, ends="disconnected",
        but={"empty": FINE, **NO_IDS}, why="a deletion is documented to have no body",
    ),
)  # fmt: skip
MATRIX = Matrix(slug="_template", name="Template", scenes=SCENES)
