"""The licence plan that staff set on a connector: length of the trial, edition, add-ons.

A plan is stored as `{"days": "30", "edition": "standard", "addons": "store:standard, store:premium"}`.
Reference: connector.md, `opts`; of other editions and kinds of add-ons nothing is documented.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from vendors.contract import Json, JsonObject, Question, Refused, Text, text

DAYS, EDITION = "30", "standard"
LONGEST_TRIAL = 3650  # days
EDITIONS: Mapping[str, Text] = {
    "starter": text("Starter"),
    "standard": text("Standard"),
    "premium": text("Premium"),
    "enterprise": text("Enterprise"),
}
ADDON = re.compile(r"([a-z][A-Za-z]{0,29}):([A-Za-z0-9_-]{1,64})")
BY_ID = "addon"  # of this type, an add-on is named by its id; of any other, by an edition


@dataclass(frozen=True, kw_only=True)
class LicencePlan:
    trial: timedelta
    opts: Mapping[str, Json]


def edition_question(initial: str = EDITION) -> Question:
    return Question(
        key="edition",
        label=text("Edition"),
        choices=tuple(EDITIONS.items()),
        initial=initial,
        required=False,
    )


def addons_question() -> Question:
    return Question(
        key="addons",
        label=text("Add-ons"),
        help=text(
            "With commas, each as type:edition, like store:standard. An add-on that has an id is"
            " written addon:id. Left empty: none."
        ),
        required=False,
    )


def questions() -> tuple[Question, ...]:
    help = text("How long a new licence lasts, in days: 1 to 3650. Left empty: 30.")
    days = Question(
        key="days", label=text("Days of trial"), help=help, initial=DAYS, required=False
    )
    return days, edition_question(), addons_question()


def faults(answers: Mapping[str, Json]) -> dict[str, Text]:
    """What is wrong: key of the question → sentence."""
    found = {
        "days": _days_fault(_answer(answers, "days") or DAYS),
        "edition": _edition_fault(_answer(answers, "edition") or EDITION),
        "addons": _addons_fault(_answer(answers, "addons")),
    }
    return {key: fault for key, fault in found.items() if fault}


def read(options: Mapping[str, Json]) -> LicencePlan:
    """Raise Refused for what staff mistyped: then nothing is sent, and it is their turn."""
    for key, fault in faults(options).items():
        raise Refused(f"the connector's option “{key}”: {fault}", who="staff", code=f"plan-{key}")
    return LicencePlan(
        trial=timedelta(days=int(_answer(options, "days") or DAYS)), opts=opts(options)
    )


def opts(answers: Mapping[str, Json]) -> JsonObject:
    """A licence's `opts` for answers without faults."""
    return {
        "connectorEdition": _answer(answers, "edition") or EDITION,
        "addonLicenses": _addons(_answer(answers, "addons")),
    }


def _answer(answers: Mapping[str, Json], key: str) -> str:
    value = answers.get(key)
    return "" if value is None else str(value).strip()


def _days_fault(days: str) -> Text | None:
    if re.fullmatch(r"[0-9]{1,4}", days) and 1 <= int(days) <= LONGEST_TRIAL:
        return None
    return text("Enter a number of days from 1 to 3650.")


def _edition_fault(edition: str) -> Text | None:
    if edition in EDITIONS:
        return None
    return text("There is no such edition. Choose one of: %(known)s.", known=", ".join(EDITIONS))


def _addons_fault(addons: str) -> Text | None:
    wrong = [part for part in _parts(addons) if not _is_addon(part)]
    if not wrong:
        return None
    return text(
        "“%(wrong)s” is no add-on. Write type:edition, like store:standard; the editions are:"
        " %(known)s.",
        wrong=wrong[0],
        known=", ".join(EDITIONS),
    )


def _is_addon(part: str) -> bool:
    found = ADDON.fullmatch(part)
    return found is not None and (found[1] == BY_ID or found[2] in EDITIONS)


def _parts(addons: str) -> list[str]:
    return [part.replace(" ", "") for part in addons.split(",") if part.strip()]


def _addons(addons: str) -> list[JsonObject]:
    """`[{"type": "store", "licenses": [{"addOnEdition": "standard"}, …]}]`, one row for each type."""
    rows: dict[str, list[dict[str, str]]] = {}
    for part in _parts(addons):
        kind, _, value = part.partition(":")
        name = "addOnId" if kind == BY_ID else "addOnEdition"
        rows.setdefault(kind, []).append({name: value})
    return [{"type": kind, "licenses": licences} for kind, licences in rows.items()]
