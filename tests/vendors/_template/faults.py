"""A scene for each documented call: how the site comes to make it, and what is there in the end."""

from __future__ import annotations

from tests.faults.rules import FINE
from tests.faults.scene import Matrix, Play, Scene
from tests.vendors._template.caller import CREATE, DELETE, LIST, READ
from tests.vendors._template.contract import pause_is_over

ONE = {"shops": 1}
APPROVED = "Template lists your shop as approved."


def connected(play: Play) -> None:
    play.connect()


def go_on(play: Play) -> None:
    """The pause after a lost answer is over, and people go on."""
    pause_is_over(play.ground.stage)
    play.go_on()


def disconnect(play: Play) -> None:
    play.press("disconnect")


SCENES = (
    Scene(
        route=LIST, when="the probe", sort="desk",
        act=Play.probe, says="accepted", after={}, ends="",
    ),
    Scene(
        route=LIST, when="before a shop is created", sort="trip",
        act=connected, says=APPROVED, after=ONE,
    ),
    Scene(
        route=CREATE, when="a merchant’s shop", sort="creates", brink=True,
        act=connected, says=APPROVED, after=ONE, mend=go_on,
        but={"made": "found"}, why="shops are listed by our reference",
    ),
    Scene(
        route=READ, when="once it is created", sort="trip", brink=True,
        act=connected, says=APPROVED, after=ONE,
    ),
    Scene(
        route=READ, when="the check of a connected shop", sort="check",
        ready=connected, act=Play.check, says=APPROVED, after=ONE,
    ),
    Scene(
        route=DELETE, when="disconnecting", sort="trip",
        ready=connected, act=disconnect, says="is deleted", after=ONE, ends="disconnected",
        but={"empty": FINE}, why="a deletion is documented to have no body",
    ),
)  # fmt: skip
MATRIX = Matrix(slug="_template", name="Template", scenes=SCENES)
