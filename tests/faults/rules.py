"""The expected outcome of each fault, written from docs/design.md and the vendors' documents, not from
the code: `RULES` has it for each sort of call, a scene's `but` where a vendor differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from tests.faults.kinds import Fault, Means

Sort = Literal["trip", "creates", "blind", "check", "evidence", "desk", "desk-creates", "catalogue"]
Code = str

FINE = "fine"
LEGEND: Mapping[Code, str] = {
    FINE: "as if nothing had gone wrong",
    "waits": "what happened, and “We keep trying.”: “We cannot reach …”, “The connection to … broke"
    " off”, “… took too long to answer”, “… reports a problem on its side”, or “… asks us to wait until …”."
    " Our turn: asked again after 5 s, 10 s …, or when Retry-After says. The status stays what it was",
    "pauses": "“We try again in a moment. We wait so that nothing is created twice.”"
    " Our turn: looked for after a pause, then made again",
    "found": "as if nothing had gone wrong: the answer was lost, we looked at once and found what had"
    " been made",
    "staff": "We’re on it: “We could not read the answer from …”, “… is not letting us sign in”, or what"
    " else happened, and “Our staff know”. Staff get one mail; asked again after a minute, in the end hourly",
    "staff look": "We’re on it: “We are checking whether … created your …” or “We could not read …’s answer."
    " We are checking …”. Nothing more is made until staff have looked: “it exists, its id is …” or"
    " “it does not exist”",
    "soon": "Checking: “Capillary created your key, but does not accept it yet. We"
    " keep trying.” Asked again after 20 s, staff’s turn after an hour",
    "by hand": "“Our staff will ask Sharespine to switch off data …”, and staff get the words to send",
    "kept": "the shop stays Connected, and its page says “Not confirmed since …”",
    "uncounted": "Connected: “Sharespine confirms the connection. We could not read its orders.”",
    "later": "staff read what happened, and “Try again later”",
    "odd": "staff read “The vendor’s answer could not be read” or “… something that we do not understand”",
    "look first": "staff read “No clear answer came” or “… could not be read. Check at the vendor before"
    " you try again.”",
    "no": "staff read that the vendor refused, with its status",
    "stays": "the catalogue stays as it was; asked again with the next hour",
}

RULES: Mapping[Sort, Mapping[Means, Code]] = {
    "trip": {
        "unsent": "waits", "limit": "waits", "lost": "waits", "odd": "staff", "no": "staff",
    },
    "creates": {
        "unsent": "waits", "limit": "waits", "lost": "pauses", "odd": "pauses", "no": "staff",
    },
    "blind": {
        "unsent": "waits", "limit": "waits", "lost": "staff look", "odd": "staff look", "no": "staff",
    },
    "check": {
        "unsent": "kept", "limit": "kept", "lost": "kept", "odd": "kept", "no": "kept",
    },
    "evidence": {
        "unsent": "uncounted", "limit": "uncounted", "lost": "uncounted", "odd": "uncounted",
        "no": "uncounted",
    },
    "desk": {
        "unsent": "later", "limit": "later", "lost": "later", "odd": "odd", "no": "no",
    },
    "desk-creates": {
        "unsent": "later", "limit": "later", "lost": "look first", "odd": "look first", "no": "no",
    },
    "catalogue": {
        "unsent": "stays", "limit": "stays", "lost": "stays", "odd": "stays", "no": "stays",
    },
}  # fmt: skip


def expected(sort: Sort, but: Mapping[str, Code], fault: Fault) -> Code:
    """The keys of `but` are names of faults, their meanings, or "made": executed, but not confirmed."""
    if fault.name in but:
        return but[fault.name]
    if fault.means == "nothing":
        return FINE
    means = "odd" if fault.means == "text" and "text" not in but else fault.means
    unclear = means in ("lost", "odd")
    if sort == "creates" and fault.waits:
        return "waits"  # with Retry-After, the vendor is not even asked whether it was created
    if "made" in but and unclear and fault.executed:
        return but["made"]
    return but[means] if means in but else RULES[sort][means]
