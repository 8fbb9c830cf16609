"""The observed outcome of a call: the code of rules.LEGEND that matches both the rows and the pages."""

from __future__ import annotations

import html

from django.utils import timezone

import vendors
from onboarding.models import Alert, Attempt, Connector
from tests.faults.kinds import Fault
from tests.faults.rules import FINE, Code
from tests.faults.scene import Driver, Scene

STAFF = (
    *(f"We could not read the answer from {each.name}. Our staff know" for each in vendors.ALL),
    "sent an answer we did not expect. Our staff know and are looking into it.",
    "is not letting us sign in. Our staff know and are working on it.",
    "refused our request. Our staff know and are working on it.",
)
LOOKS = ("We are checking whether ",)
REACH, SLOW = "We cannot reach ", "took too long to answer. We keep trying."
BROKEN, OWN = "broke off. We keep trying.", "reports a problem on its side. We keep trying."
ASKS = "asks us to wait "
WAITS = (REACH, SLOW, BROKEN, OWN, ASKS)
WAITS_AFTER = {
    "refused": REACH, "connect time-out": REACH, "read time-out": SLOW, "reset before": BROKEN,
    "reset after": BROKEN, "500": OWN, "502": OWN, "503": OWN, "503, Retry-After": f"{ASKS}until ",
    "429": f"{ASKS}a moment", "429, Retry-After": f"{ASKS}until ",
}  # fmt: skip
PAUSES = "We try again in a moment. We wait so that nothing is created twice."
SOON = "Capillary created your key, but does not accept it yet. We keep trying."
UNCOUNTED = "Sharespine confirms the connection. We could not read its orders."
DESK = {
    "We cannot reach the vendor. Try again later.": "later",
    "The connection to the vendor broke off. Try again later.": "later",
    "The vendor took too long to answer. Try again later.": "later",
    "The vendor reports a fault of its own. Try again later.": "later",
    "The vendor asks us to wait": "later",
    "The vendor’s answer could not be read. Check at the vendor before you try again.": "look first",
    "The vendor’s answer could not be read. · ": "odd",
    "No clear answer came. Check at the vendor before you try again.": "look first",
    "The vendor answered something that we do not understand.": "odd",
    "Unavailable: ": "later",
    "Garbled: ": "odd",
    "Refused: ": "no",
    "answered 401": "no",
    "answered 403": "no",
}


def observe(driver: Driver, scene: Scene, fault: Fault | None) -> tuple[Code, str]:
    """The code, and the text that people read."""
    match scene.sort:
        case "desk" | "desk-creates":
            return _desk(driver, scene), driver.staff_text
        case "catalogue":
            return _catalogue(scene), ""
        case "check":
            return _check(driver, scene)
    code, page = _attempt(driver, scene, fault)
    looked = code == FINE and fault and fault.means != "nothing" and scene.sort == "creates"
    return ("found" if looked else code), page


def _desk(driver: Driver, scene: Scene) -> Code:
    if scene.says in driver.staff_text:
        return FINE
    codes = [code for words, code in DESK.items() if words in driver.staff_text]
    assert codes, f"staff read: {driver.staff_text}"
    return codes[0]


def _catalogue(scene: Scene) -> Code:
    assert not Connector.objects.exclude(gone=None).exists()
    return FINE if Connector.objects.filter(vendor_name=scene.says).exists() else "stays"


def _check(driver: Driver, scene: Scene) -> tuple[Code, str]:
    connection = driver.connection
    page = driver.browser.page(connection.get_absolute_url())
    assert connection.status == "connected"
    assert connection.due_at
    assert connection.due_at > timezone.now()
    if connection.answer == "connected":
        assert scene.says in page
        return FINE, page
    assert "Not confirmed since" in page
    return "kept", page


def _attempt(driver: Driver, scene: Scene, fault: Fault | None) -> tuple[Code, str]:
    attempt = driver.attempt
    page = _read(driver, attempt)
    code = _of_attempt(attempt)
    assert any(words in page for words in _wanted(code, scene, fault)), (
        f"{code}, but it says {page}"
    )
    if code in ("waits", "pauses"):
        assert (attempt.status, attempt.turn) == (scene.during, "us")
        _due(attempt, fault.waits if fault and code == "waits" else 0)
    alerts = Alert.objects.filter(vendor=driver.slug, cleared=None)
    alerted = alerts.exclude(cause="unconfirmed").exists()
    assert alerted == (code in ("staff", "staff look", "by hand"))
    return code, page


def _wanted(code: Code, scene: Scene, fault: Fault | None) -> tuple[str, ...]:
    """The page says one of these."""
    if code == "waits":
        said = WAITS_AFTER.get(fault.name) if fault else None
        return (said,) if said else WAITS
    wanted: dict[Code, tuple[str, ...]] = {
        "pauses": (PAUSES,), "staff": STAFF, "staff look": LOOKS, "soon": (SOON,),
        "uncounted": (UNCOUNTED,), FINE: (scene.says,),
        "by hand": ("Our staff will ask Sharespine to switch",),
    }  # fmt: skip
    return wanted[code]


def _read(driver: Driver, attempt: Attempt) -> str:
    """The attempt's page, and the shop's page if the attempt has ended."""
    pages = [attempt.get_absolute_url()]
    if attempt.ended:
        pages.append(attempt.connection.get_absolute_url())
    return html.unescape("".join(map(driver.browser.page, pages)))


def _due(attempt: Attempt, asked: int) -> None:
    assert attempt.due_at
    wait = (attempt.due_at - timezone.now()).total_seconds()
    assert asked - 5 < wait < asked + 70


def _of_attempt(attempt: Attempt) -> Code:
    connection, note_id = attempt.connection, str(attempt.note.get("id", ""))
    if attempt.answer == "unavailable":
        return "pauses" if note_id == PAUSES else "waits"
    if connection.task:
        return "by hand"
    if attempt.turn == "staff":
        assert attempt.status == "on_it"
        unsure = bool(connection.account.unsure)
        assert unsure == (attempt.answer == "unsure")
        return "staff look" if unsure else "staff"
    if attempt.answer == "waiting" and note_id == SOON:
        return "soon"
    return "uncounted" if note_id == UNCOUNTED else FINE
