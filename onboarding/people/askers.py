"""Who asks, and which limits count for them: their browser, IP address and network, and the whole site.

What strangers use up never stops a browser where the owner of the address has signed in before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from allauth.account.adapter import get_adapter
from allauth.core.internal import ratelimit
from django.conf import settings
from django.http import HttpRequest

from onboarding.email_addresses import mailbox_of

from . import known_browsers
from .limits import Limit, digest

MAILS, WRONG_CODES, WRONG_PASSWORDS = "mails", "wrong codes", "wrong passwords"
REQUESTS = "requests"  # for shop systems: each may become a mail


@dataclass(frozen=True)
class Asker:
    """`ip`: the IP address; of IPv6, its /64, which one customer has. `network`: its /24, or /48 of IPv6.

    `is_local`: on this machine, where many people may stand behind one address in development.
    """

    ip: str
    network: str
    is_local: bool

    @classmethod
    def of(cls, request: HttpRequest) -> Asker:
        found = ip_address(get_adapter().get_client_ip(request))
        if isinstance(found, IPv6Address):
            found = found.ipv4_mapped or found
        if isinstance(found, IPv6Address):  # by its number, without the zone of fe80::1%eth0
            ip, network = (IPv6Network((int(found), size), strict=False) for size in (64, 48))
            return cls(str(ip), str(network), found.is_loopback)
        return cls(str(found), str(IPv4Network((found, 24), strict=False)), found.is_loopback)


def limits_for(request: HttpRequest, subject: str, email: str) -> list[Limit]:
    """The limits of what is asked for this address from where the request comes, narrow ones first."""
    asker = Asker.of(request)
    address = mailbox_of(email) if subject in {MAILS, REQUESTS} else email.lower()
    rates = (settings.LOOPBACK_LIMITS if asker.is_local else settings.LIMITS)[subject]
    counted = _scopes(asker, address)
    if browser := known_browsers.id_for(request, email):
        counted = {"browser": (address, browser)}
    return [
        limit
        for scope, whom in counted.items()
        for limit in limits_of(subject, scope, whom, rates.get(scope, ""))
    ]


def _scopes(asker: Asker, address: str) -> dict[str, tuple[str, ...]]:
    """Whom a stranger's use is counted for."""
    return {
        "address+ip": (address, asker.ip),
        "address+network": (address, asker.network),
        "address": (address,),
        "ip": (asker.ip,),
        "network": (asker.network,),
        "site": (),
    }


def limits_of(subject: str, scope: str, whom: tuple[str, ...], rates: str) -> Iterator[Limit]:
    """A limit for each rate, such as "6/h,12/d"."""
    for rate in ratelimit.parse_rates(rates):
        key = f"{subject}:{scope}:{digest(*whom)}:{rate.duration:.0f}"
        yield Limit(key, rate.amount, timedelta(seconds=rate.duration), subject, scope)
