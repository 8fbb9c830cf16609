"""Alerts to staff about the security log: more events within an hour than settings.SECURITY_ALERTS allows.

Each rule's alert clears by itself once the hour is calm again and staff were told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse

from onboarding import clock
from onboarding.models import Alert, SecurityEvent

Kind = SecurityEvent.Kind
VENDOR = "security"  # what stands in the place of a vendor
WITHIN = timedelta(hours=1)
MOST = 10_000  # rows that a rule reads: far above every limit
TAKEOVER = (
    Kind.FACTOR_REMOVED,
    Kind.FACTOR_RESET,
    Kind.ADDRESS_MADE_MAIN,
)  # of an account of staff
BY_COMMAND = Q(by=None, address=None)  # by the operator, who gets these mails


@dataclass(frozen=True)
class Rule:
    """`events`: those it is about. `count`: how many of them there are, which is compared with the limit."""

    cause: str
    text: str
    advice: str
    events: Callable[[QuerySet[SecurityEvent]], QuerySet[SecurityEvent]]
    count: Callable[[QuerySet[SecurityEvent]], int] = lambda rows: rows[:MOST].count()

    @property
    def limit(self) -> int:
        return settings.SECURITY_ALERTS[self.cause]

    def found(self) -> int:
        return self.count(self.events(recent()))


def recent() -> QuerySet[SecurityEvent]:
    since: datetime = clock.now() - WITHIN
    return SecurityEvent.objects.filter(at__gt=since)


def _networks(rows: QuerySet[SecurityEvent]) -> int:
    """Of IPv4 each address, of IPv6 each /64: what one subscriber has."""
    addresses = rows.exclude(address=None).order_by().values_list("address", flat=True)
    return len({_network(str(address)) for address in addresses.distinct()[:MOST]})


def _network(address: str) -> str:
    bits = 64 if ip_address(address).version == 6 else 32
    return str(ip_network(f"{address}/{bits}", strict=False))


RULES = (
    Rule(
        cause="wrong codes and passwords",
        text="Many wrong codes, passwords or second factors were entered: {found} within an hour.",
        advice="Somebody may be guessing. The limits hold. If all come from a few networks, block these.",
        events=lambda rows: rows.filter(kind__in=SecurityEvent.WRONG),
    ),
    Rule(
        cause="refused networks",
        text="Limits have refused browsers of many networks: {found} within an hour.",
        advice="Somebody may attack the site from many addresses, or a limit may be too low for your users.",
        events=lambda rows: rows.filter(kind=Kind.REFUSED),
        count=_networks,
    ),
    Rule(
        cause="foreign returns",
        text="Many returns from vendors came in browsers that had not left: {found} within an hour.",
        advice="Nothing was spent. Somebody may have got hold of such links, for example from a log.",
        events=lambda rows: rows.filter(kind=Kind.FOREIGN_RETURN),
    ),
    Rule(
        cause="changes of staff accounts",
        text="Rights, addresses or second factors of staff were changed: {found} times within an hour.",
        advice="If you do not know why, end the sessions of that account and remove its rights.",
        events=lambda rows: rows.filter(
            Q(kind=Kind.STAFF_CHANGED) | Q(kind__in=TAKEOVER, user__is_staff=True)
        ).exclude(BY_COMMAND),
    ),
)
CAUSES = tuple(rule.cause for rule in RULES)


def update() -> None:
    """Open the alert of each rule that is broken, and clear those of the others."""
    for rule in RULES:
        if rule.found() > rule.limit:
            Alert.open(VENDOR, rule.cause)
        else:
            _clear(rule)


def _clear(rule: Rule) -> None:
    """Not before its mail was sent, if there is somebody to send it to."""
    told = Q() if not settings.STAFF_EMAIL else ~Q(mailed=None) | Q(mail_refused=True)
    open_alerts = Alert.objects.filter(told, vendor=VENDOR, cause=rule.cause, cleared=None)
    open_alerts.update(cleared=clock.now())


def body(alert: Alert) -> list[str]:
    """What the mail says. The numbers of now: they may have grown or fallen since the alert opened."""
    rule = next(each for each in RULES if each.cause == alert.cause)
    page = reverse("admin:onboarding_securityevent_changelist")
    return [
        rule.text.format(found=rule.found()),
        rule.advice,
        "",
        "Open the security log:",
        f"{settings.SITE_URL}{page}",
    ]
