"""Profile of an API client: scopes, expiry and till, as staff set them on a connector.

A profile is flat text, because it is the answers to questions: `scope_<id>` one of READ, WRITE,
READWRITE; `resources_<id>` patterns of paths, separated by blanks; `expiry` seconds; `till` an id.
Source: "Integrations" of https://github.com/Capillary/api-documentation
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vendors.contract import Json, JsonObject, Memo, Question, Text, text

from .client import Grant, Scope

DOCUMENTED = (
    Scope(id=1, entity="TargetGroups"),
    Scope(id=2, entity="All"),
    Scope(id=3, entity="Transaction"),
)
PERMISSIONS = {
    "READ": text("Read"),
    "WRITE": text("Write"),
    "READWRITE": text("Read and write"),
}
LONGEST_EXPIRY = 30 * 86400  # seconds; "up to 30 days by ticket"
SCOPE = re.compile(r"scope_([0-9]{1,9})")
LINE = re.compile(r"\s*([0-9]{1,9})\s+([A-Za-z]+)(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True)
class Profile:
    scopes: tuple[Grant, ...]
    expiry: int
    till: int

    def memo(self) -> JsonObject:
        return {"scopes": list(self.scopes), "expiry": self.expiry, "till": self.till}

    @classmethod
    def from_memo(cls, memo: Memo) -> Profile:
        return cls(tuple(memo["scopes"]), memo["expiry"], memo["till"])

    def ids(self) -> set[int]:
        return {grant["entityId"] for grant in self.scopes}


def read(answers: Mapping[str, Json], till: int) -> Profile:
    """The profile that answers without `faults` give; `till` is the operator's own."""
    given = _plain(answers)
    chosen = sorted((int(match[1]), given[key]) for key, match in _scopes(given))
    grants = [
        Grant(entityId=id, permission=permission, resources=_resources(given, id))
        for id, permission in chosen
    ]
    return Profile(tuple(grants), int(given["expiry"]), int(given.get("till") or till))


def _plain(answers: Mapping[str, Json]) -> dict[str, str]:
    """The answers that are not empty, as text; staff may have typed numbers into JSON."""
    given = {key: str(value).strip() for key, value in answers.items() if value is not None}
    return {key: value for key, value in given.items() if value}


def _scopes(given: Mapping[str, str]) -> list[tuple[str, re.Match[str]]]:
    return [(key, match) for key in given if (match := SCOPE.fullmatch(key))]


def _resources(given: Mapping[str, str], id: int) -> list[str]:
    return given.get(f"resources_{id}", "").split()


# -- validation ----------------------------------------------------------------------------------


def faults(
    answers: Mapping[str, Json], known: Iterable[Scope] | None, till: int
) -> dict[str, Text]:
    """Key of the question → sentence. `known` are the scopes that Capillary lists (None: not asked)."""
    given = _plain(answers)
    ids = None if known is None else [scope.id for scope in known]
    found: dict[str, Text] = {}
    for key, match in _scopes(given):
        if ids is not None and int(match[1]) not in ids:
            found[key] = not_listed([int(match[1])])
        elif given[key] not in PERMISSIONS:
            found[key] = text("Choose read, write, or read and write.")
    if not _scopes(given):
        found[f"scope_{ids[0] if ids else 1}"] = text("Choose at least one scope.")
    return found | number_faults(given, till)


def number_faults(given: Mapping[str, str], till: int) -> dict[str, Text]:
    found: dict[str, Text] = {}
    expiry = given.get("expiry", "").strip()
    if not 0 < _number(expiry) <= LONGEST_EXPIRY:
        found["expiry"] = text("Enter a whole number of seconds, from 1 to 2592000 (30 days).")
    if not _number(given.get("till", "").strip() or str(till)):
        found["till"] = text("Enter the id of a till: a number.")
    return found


def _number(typed: str) -> int:
    """A whole number; 0 for anything else."""
    return int(typed) if re.fullmatch(r"[0-9]{1,18}", typed) else 0


def not_listed(ids: Iterable[int]) -> Text:
    return text(
        "Capillary does not list the scope %(scopes)s. Choose from those that it lists.",
        scopes=", ".join(map(str, sorted(ids))),
    )


# -- questions ----------------------------------------------------------------------------------


def questions(known: Iterable[Scope], till: int) -> tuple[Question, ...]:
    asked = [each for scope in known for each in _scope_questions(scope)]
    return (*asked, *number_questions("600", str(till or ""), till_needed=not till))


def _scope_questions(scope: Scope) -> tuple[Question, Question]:
    name = scope.entity or str(scope.id)
    return (
        Question(
            key=f"scope_{scope.id}",
            label=text("Scope “%(name)s”", name=name),
            choices=(("", text("Not in this profile")), *PERMISSIONS.items()),
            required=False,
        ),
        Question(
            key=f"resources_{scope.id}",
            label=text("Resources of “%(name)s”", name=name),
            help=text("Patterns of paths with blanks between them, like .*v3/targetGroups.*"),
            required=False,
        ),
    )


def number_questions(expiry: str, till: str, *, till_needed: bool) -> tuple[Question, Question]:
    return (
        Question(
            key="expiry",
            label=text("How long a token lasts, in seconds"),
            initial=expiry,
            required=bool(expiry),
        ),
        Question(key="till", label=text("Id of the till"), initial=till, required=till_needed),
    )


# -- scopes in one line, for a client without a profile ---------------------------------------------


def parse_line(line: str) -> dict[str, str]:
    """`1 READWRITE .*a.* .*b.*; 2 WRITE` as answers. Raises ValueError for anything else."""
    answers: dict[str, str] = {}
    for part in filter(str.strip, re.split(r"[;\n]", line)):
        match = LINE.fullmatch(part)
        if match is None or f"scope_{int(match[1])}" in answers:
            raise ValueError("not a line of scopes")
        answers[f"scope_{int(match[1])}"] = match[2].upper()
        answers[f"resources_{int(match[1])}"] = (match[3] or "").strip()
    return answers


def answers(known: Profile) -> dict[str, str]:
    """The scopes of a profile as the answers from which they were read."""
    given = {f"scope_{grant['entityId']}": grant["permission"] for grant in known.scopes}
    more = {
        f"resources_{grant['entityId']}": " ".join(grant["resources"]) for grant in known.scopes
    }
    return given | more
