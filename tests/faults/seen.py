"""What became of a call: the code of rules.LEGEND that the rows and the pages bear out together."""

from __future__ import annotations

import html

from django.utils import timezone

from onboarding.models import Alert, Attempt, Connector
from tests.faults.kinds import Fault
from tests.faults.rules import FINE, Code
from tests.faults.scene import Play, Scene

STAFF = "Something went wrong on our side. Our staff know and are working on it."
WAITS = "is not answering. We keep trying."
PAUSES = "We make sure that nothing is made twice, and go on in a moment."
SOON = "Capillary has made your key, but does not accept it yet."
UNCOUNTED = "Sharespine confirms the connection. We could not read its orders."
DESK = {
    "The vendor is not answering. Try again later.": "later",
    "No clear answer came. Look at the vendor before you try again.": "look first",
    "The vendor answered something that we do not understand.": "odd",
    "Unavailable: ": "later",
    "Garbled: ": "odd",
    "Refused: ": "no",
    "answered 401": "no",
    "answered 403": "no",
}


def seen(play: Play, scene: Scene, fault: Fault | None) -> tuple[Code, str]:
    """The code, and what was read."""
    match scene.sort:
        case "desk" | "desk-creates":
            return _desk(play, scene), play.said
        case "catalogue":
            return _catalogue(scene), ""
        case "check":
            return _check(play, scene)
    code, page = _trip(play, scene, fault)
    looked = code == FINE and fault and fault.means != "nothing" and scene.sort == "creates"
    return ("found" if looked else code), page


def _desk(play: Play, scene: Scene) -> Code:
    if scene.says in play.said:
        return FINE
    codes = [code for words, code in DESK.items() if words in play.said]
    assert codes, f"staff read: {play.said}"
    return codes[0]


def _catalogue(scene: Scene) -> Code:
    assert not Connector.objects.exclude(gone=None).exists()
    return FINE if Connector.objects.filter(vendor_name=scene.says).exists() else "stays"


def _check(play: Play, scene: Scene) -> tuple[Code, str]:
    shop = play.shop
    page = play.browser.page(shop.get_absolute_url())
    assert shop.status == "connected"
    assert shop.due_at
    assert shop.due_at > timezone.now()
    if shop.answer == "connected":
        assert scene.says in page
        return FINE, page
    assert "Not confirmed since" in page
    return "kept", page


def _trip(play: Play, scene: Scene, fault: Fault | None) -> tuple[Code, str]:
    attempt = play.attempt
    page = _read(play, attempt)
    code = _of_attempt(attempt)
    words = {"waits": WAITS, "pauses": PAUSES, "staff": STAFF, "staff look": STAFF, "soon": SOON}
    words |= {"uncounted": UNCOUNTED, FINE: scene.says, "by hand": "We ask Sharespine to switch"}
    assert words[code] in page, f"{code}, but the page does not say so"
    if code in ("waits", "pauses"):
        assert (attempt.status, attempt.turn) == (scene.during, "us")
        _due(attempt, fault.waits if fault and code == "waits" else 0)
    told = Alert.objects.filter(vendor=play.slug, cleared=None).exists()
    assert told == (code in ("staff", "staff look", "by hand"))
    return code, page


def _read(play: Play, attempt: Attempt) -> str:
    """The trip's page; when it is over, with the shop's, to which it leads."""
    pages = [attempt.get_absolute_url()]
    if attempt.ended:
        pages.append(attempt.connection.get_absolute_url())
    return html.unescape("".join(map(play.browser.page, pages)))


def _due(attempt: Attempt, asked: int) -> None:
    assert attempt.due_at
    wait = (attempt.due_at - timezone.now()).total_seconds()
    assert asked - 5 < wait < asked + 70


def _of_attempt(attempt: Attempt) -> Code:
    shop, said = attempt.connection, str(attempt.note.get("id", ""))
    if attempt.answer == "unavailable":
        return "pauses" if said == PAUSES else "waits"
    if attempt.turn == "staff":
        assert attempt.status == "on_it"
        unsure = bool(shop.account.unsure)
        assert unsure == (attempt.answer == "unsure")
        return "staff look" if unsure else "staff"
    if attempt.answer == "waiting" and said == SOON:
        return "soon"
    if shop.task:
        return "by hand"
    return "uncounted" if said == UNCOUNTED else FINE
