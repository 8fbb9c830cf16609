"""`manage.py connections show|renew|end <merchant>`: for a subscription system. Answers in JSON.

Exit status: 0 done, also when it was so already; 1 the vendor or the journey said no, or it goes on in the
background; 2 unknown merchant, connector or arguments.
"""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime

from onboarding import journey, registry
from onboarding.background import runner
from onboarding.models import Connection, Merchant
from onboarding.models.status import Status, dumped, shown
from vendors.contract import VendorError


class Command(BaseCommand):
    help = "Show, renew or end the connections of a merchant. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["show", "renew", "end"])
        parser.add_argument("merchant", help="its reference")
        parser.add_argument("--connector", help="the connector's slug; default: every one")
        parser.add_argument("--until", help="for renew: 2027-01-31 or 2027-01-31T12:00:00Z")

    def handle(self, *args: Any, action: str, merchant: str, **options: Any) -> None:
        rows = _rows(merchant, options["connector"])
        until = _moment(options["until"]) if action == "renew" else ""
        rows = _renewable(rows) if action == "renew" else rows
        said = [_done(action, row, until) for row in rows]
        self.stdout.write(json.dumps(said, indent=2))
        if not all(row["ok"] for row in said):
            raise CommandError("not everything was done", returncode=1)


def _rows(reference: str, connector: str | None) -> list[Connection]:
    if not Merchant.objects.filter(reference=reference).exists():
        raise CommandError(f"no merchant has the reference {reference}", returncode=2)
    rows = Connection.objects.filter(account__merchant__reference=reference)
    if connector:
        rows = rows.filter(connector__slug=connector)
    found = list(rows.select_related("connector", "account__merchant"))
    if connector and not found:
        raise CommandError(f"this merchant has no connection of {connector}", returncode=2)
    return found


def _renewable(rows: list[Connection]) -> list[Connection]:
    """Live ones alone: what ended beside them stays so. Where there is none, what has ended is meant."""
    return [row for row in rows if row.status != Status.DISCONNECTED] or rows


def _moment(text: str | None) -> str:
    """As the merchant's system writes it; what it means is the vendor's to check."""
    try:
        if text and (parse_datetime(text) or parse_date(text)):
            return text
    except ValueError:
        pass
    raise CommandError("renew needs --until, a date or a moment in ISO 8601", returncode=2)


def _done(action: str, row: Connection, until: str) -> dict[str, Any]:
    problem = ""
    if action == "renew":
        problem = _act(row, "renew", {"until": until})
    elif action == "end" and row.status != Status.DISCONNECTED:
        problem = _end(row)
    row.refresh_from_db()
    return {**_facts(row), "ok": not problem, "problem": problem}


def _offers(row: Connection, key: str) -> bool:
    vendor = registry.vendor_of(row.vendor)
    return vendor is not None and key in {action.key for action in vendor.actions()}


def _act(row: Connection, key: str, answers: dict[str, str]) -> str:
    """What went wrong; empty when it was done."""
    try:
        outcome = journey.act(row.pk, key, answers)
    except LookupError:
        return "the vendor is switched off"
    if isinstance(outcome, VendorError):
        return shown(dumped(outcome.note)) or outcome.detail or "not accepted"
    return ""


def _end(row: Connection) -> str:
    """Where the vendor can, what was bought is ended first: a reconnect must not bring it back."""
    if problem := _act(row, "expire", {}) if _offers(row, "expire") else "":
        return problem
    attempt = journey.disconnect(row, row.attempts.latest("created").user)
    runner.advance_now(attempt)
    attempt.refresh_from_db()
    return "" if attempt.ended else attempt.sentence or "it goes on in the background"


def _facts(row: Connection) -> dict[str, Any]:
    return {
        "connection": row.reference,
        "name": row.name,
        "connector": row.connector.slug,
        "status": row.status,
        "until": row.expires_at.isoformat() if row.expires_at else None,
        "sentence": row.sentence,
    }
