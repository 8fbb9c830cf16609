"""`manage.py connections show|renew|end <merchant>`: an idempotent command for a subscription system.

Prints JSON. Exit status: 0 done, also if nothing was left to do; 1 refused by the vendor or by us, or not
finished yet and continued in the background; 2 unknown merchant, connector or arguments.
"""

from __future__ import annotations

import json

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime

from onboarding import journey, registry
from onboarding.background import runner
from onboarding.models import Connection, Merchant, SecurityEvent
from onboarding.models.status import Status, dumped, shown
from onboarding.monitoring.security_log import record
from vendors.contract import VendorError


class Command(BaseCommand):
    help = "Show, renew or end the connections of a merchant. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["show", "renew", "end"])
        parser.add_argument("merchant", help="its reference")
        parser.add_argument("--connector", help="the connector’s slug; default: every one")
        parser.add_argument("--until", help="for renew: 2027-01-31 or 2027-01-31T12:00:00Z")

    def handle(
        self,
        *args: object,
        action: str,
        merchant: str,
        connector: str | None,
        until: str | None,
        **options: object,
    ) -> None:
        connections = _connections(merchant, connector)
        ends_at = _iso_time(until) if action == "renew" else ""
        connections = _renewable(connections) if action == "renew" else connections
        results = [_run(action, connection, ends_at) for connection in connections]
        self.stdout.write(json.dumps(results, indent=2))
        if not all(result["ok"] for result in results):
            raise CommandError("not everything was done", returncode=1)


def _connections(reference: str, connector: str | None) -> list[Connection]:
    """The merchant's connections. Raises CommandError (status 2) if merchant or connection is unknown."""
    if not Merchant.objects.filter(reference=reference).exists():
        raise CommandError(f"no merchant has the reference {reference}", returncode=2)
    rows = Connection.objects.filter(account__merchant__reference=reference)
    if connector:
        rows = rows.filter(connector__slug=connector)
    found = list(rows.select_related("connector", "account__merchant"))
    if connector and not found:
        raise CommandError(f"this merchant has no connection of {connector}", returncode=2)
    return found


def _renewable(connections: list[Connection]) -> list[Connection]:
    """The connections that are not disconnected; if there are none, all of them."""
    return [each for each in connections if each.status != Status.DISCONNECTED] or connections


def _iso_time(text: str | None) -> str:
    """The argument as it is, if it is a date or a time in ISO 8601. The vendor checks its value."""
    try:
        if text and (parse_datetime(text) or parse_date(text)):
            return text
    except ValueError:
        pass
    raise CommandError("renew needs --until, a date or a time in ISO 8601", returncode=2)


def _run(action: str, connection: Connection, until: str) -> dict[str, object]:
    """Run the action; returns one object of the printed list. `ok` is false if there is a `problem`."""
    problem = ""
    if action == "renew":
        problem = _act(connection, "renew", {"until": until})
    elif action == "end" and connection.status != Status.DISCONNECTED:
        problem = _end(connection)
    connection.refresh_from_db()
    return {**_facts(connection), "ok": not problem, "problem": problem}


def _offers(connection: Connection, key: str) -> bool:
    vendor = registry.vendor_of(connection.vendor)
    return vendor is not None and key in {action.key for action in vendor.actions()}


def _act(connection: Connection, key: str, answers: dict[str, str]) -> str:
    """Run an action of the vendor; returns what went wrong, empty if it was done."""
    try:
        outcome = journey.act(connection.pk, key, answers)
    except LookupError:
        return "the vendor is switched off"
    if isinstance(outcome, VendorError):
        return shown(dumped(outcome.note)) or outcome.detail or "not accepted"
    return ""


def _end(connection: Connection) -> str:
    """Disconnect; returns what went wrong, or empty.

    If the vendor has licences that can expire, the licence is ended first, so that a reconnect does not
    bring it back.
    """
    if problem := _act(connection, "expire", {}) if _offers(connection, "expire") else "":
        return problem
    try:
        attempt = journey.disconnect(connection, connection.attempts.latest("created").user)
    except journey.StatusChanged:  # it was disconnected a moment ago
        return ""
    detail = f"shop {connection.reference} disconnected by a command"
    merchant = connection.account.merchant
    record(SecurityEvent.Kind.SHOP_ENDED, merchant=merchant, detail=detail)
    runner.advance_now(attempt)
    attempt.refresh_from_db()
    if attempt.ended:
        return ""
    return attempt.sentence or "not finished yet: it continues in the background"


def _facts(connection: Connection) -> dict[str, object]:
    return {
        "connection": connection.reference,
        "name": connection.name,
        "connector": connection.connector.slug,
        "status": connection.status,
        "until": connection.expires_at.isoformat() if connection.expires_at else None,
        "sentence": connection.sentence,
    }
