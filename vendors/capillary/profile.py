"""What an API client may do: a profile of scopes, as staff set it on a connector.

A profile is flat text, for it is the answers to questions: `scope_<id>` one of READ, WRITE,
READWRITE; `resources_<id>` patterns of paths, parted by blanks; `expiry` seconds; `till` an id.
Source: "Integrations" of https://github.com/Capillary/api-documentation
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vendors.contract import Memo, Question, Text, text

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
LONGEST = 30 * 86400  # seconds; "up to 30 days by ticket"
SCOPE = re.compile(r"scope_([0-9]{1,9})")
LINE = re.compile(r"\s*([0-9]{1,9})\s+([A-Za-z]+)(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True)
class Profile:
    scopes: tuple[Grant, ...]
    expiry: int
    till: int

    def memo(self) -> dict[str, Any]:
        return {"scopes": list(self.scopes), "expiry": self.expiry, "till": self.till}

    def ids(self) -> set[int]:
        return {grant["entityId"] for grant in self.scopes}


def kept(memo: Memo) -> Profile:
    return Profile(tuple(memo["scopes"]), memo["expiry"], memo["till"])


def read(answers: Mapping[str, Any], till: int) -> Profile:
    """Of answers without `faults`; `till` is the operator's own."""
    said = _plain(answers)
    chosen = sorted((int(match[1]), said[key]) for key, match in _scopes(said))
    grants = [
        Grant(entityId=id, permission=permission, resources=_resources(said, id))
        for id, permission in chosen
    ]
    return Profile(tuple(grants), int(said["expiry"]), int(said.get("till") or till))


def _plain(answers: Mapping[str, Any]) -> dict[str, str]:
    """As text without what was left open; staff may have typed numbers into JSON."""
    said = {key: str(value).strip() for key, value in answers.items() if value is not None}
    return {key: value for key, value in said.items() if value}


def _scopes(said: Mapping[str, str]) -> list[tuple[str, re.Match[str]]]:
    return [(key, match) for key in said if (match := SCOPE.fullmatch(key))]


def _resources(said: Mapping[str, str], id: int) -> list[str]:
    return said.get(f"resources_{id}", "").split()


# -- what is wrong -------------------------------------------------------------------------------


def faults(answers: Mapping[str, Any], known: Iterable[Scope] | None, till: int) -> dict[str, Text]:
    """Key → sentence. `known` are the scopes that Capillary lists (None: not looked at)."""
    said = _plain(answers)
    ids = None if known is None else [scope.id for scope in known]
    found: dict[str, Text] = {}
    for key, match in _scopes(said):
        if ids is not None and int(match[1]) not in ids:
            found[key] = outside([int(match[1])])
        elif said[key] not in PERMISSIONS:
            found[key] = text("Choose read, write, or read and write.")
    if not _scopes(said):
        found[f"scope_{ids[0] if ids else 1}"] = text("Choose at least one scope.")
    return found | number_faults(said, till)


def number_faults(said: Mapping[str, str], till: int) -> dict[str, Text]:
    found: dict[str, Text] = {}
    expiry = said.get("expiry", "").strip()
    if not 0 < _number(expiry) <= LONGEST:
        found["expiry"] = text("Enter a whole number of seconds, from 1 to 2592000 (30 days).")
    if not _number(said.get("till", "").strip() or str(till)):
        found["till"] = text("Enter the id of a till: a number.")
    return found


def _number(typed: str) -> int:
    """0 for whatever is no whole number above it."""
    return int(typed) if re.fullmatch(r"[0-9]{1,18}", typed) else 0


def outside(ids: Iterable[int]) -> Text:
    return text(
        "Capillary does not list the scope %(scopes)s. Choose from those that it lists.",
        scopes=", ".join(map(str, sorted(ids))),
    )


# -- what staff are asked ------------------------------------------------------------------------


def questions(known: Iterable[Scope], till: int) -> tuple[Question, ...]:
    asked = [each for scope in known for each in _about(scope)]
    return (*asked, *number_questions("600", str(till or ""), till_needed=not till))


def _about(scope: Scope) -> tuple[Question, Question]:
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


# -- scopes in one line, for a client that no profile stands behind ----------------------------------


def typed(line: str) -> dict[str, str]:
    """`1 READWRITE .*a.* .*b.*; 2 WRITE` as answers. Raises ValueError for anything else."""
    answers: dict[str, str] = {}
    for part in filter(str.strip, re.split(r"[;\n]", line)):
        match = LINE.fullmatch(part)
        if match is None or f"scope_{int(match[1])}" in answers:
            raise ValueError("no scopes")
        answers[f"scope_{int(match[1])}"] = match[2].upper()
        answers[f"resources_{int(match[1])}"] = (match[3] or "").strip()
    return answers


def answers(known: Profile) -> dict[str, str]:
    """A profile as the answers it was read from, without its numbers."""
    said = {f"scope_{grant['entityId']}": grant["permission"] for grant in known.scopes}
    more = {
        f"resources_{grant['entityId']}": " ".join(grant["resources"]) for grant in known.scopes
    }
    return said | more
