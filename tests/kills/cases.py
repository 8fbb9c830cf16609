"""What is killed: each call of each step of each way of each vendor, at each boundary.

The lists say what an undisturbed run does, step by step; a test compares them with such a run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.kills.plan import AFTER, BEFORE, DEED, HELD, SAVED

Steps = tuple[tuple[str, ...], ...]
CALLS, STEPS = (BEFORE, HELD, AFTER), (DEED, SAVED)

TOKENS, GRANT = "POST /selfservice/v1/tokens", "GET /accounts/oauth/v2/token"
ME, SHOPS = "GET /users/v1/me", "GET /api/v1/users/{user}/instances"
ACTIVATE = "GET /solution/activate"
FOUND = ((TOKENS,), (GRANT,), (ME,), (SHOPS, ACTIVATE), (SHOPS,))

TENANT, TENANT_USER = "POST /reseller/tenant", "POST /reseller/tenant/{codeName}/user"
CONNECTION = "POST /reseller/tenant/{codeName}/connection"
LOGIN = "POST /reseller/tenant/{codeName}/login/{login}"
SWITCH, ROOT, ORDERS = "PUT /reseller/tenant/{codeName}", "GET /api/", "GET /api/order"
ROOM = ((TENANT,), (TENANT_USER,), (TENANT_USER,), (CONNECTION,), (LOGIN,))

LICENCES, ISSUE = (f"{verb} /v1/connectors/{{_id}}/licenses" for verb in ("GET", "POST"))
LICENCE, CHANGE = (
    f"{verb} /v1/connectors/{{_id}}/licenses/{{_id_of_license}}" for verb in ("GET", "PUT")
)

CLIENTS, CREATE = (f"{verb} /v3/integrations/clients" for verb in ("GET", "POST"))
CLIENT, DELETE = (f"{verb} /v3/integrations/clients/{{clientKey}}" for verb in ("GET", "DELETE"))
SCOPES, GENERATE = "GET /v3/integrations/scopes", "POST /v3/oauth/token/generate"
MAKE = ((SCOPES, CLIENTS), (CLIENTS, CREATE), (GENERATE,))
SIGNED_IN = ((GENERATE, SCOPES, CLIENTS), (GENERATE, CLIENTS, CREATE), (GENERATE,))
ISSUED = ((LICENCES,), (ISSUE,), (LICENCE,), (LICENCE,))

CONNECT = "connect"
SIGN_IN = "sign-in"  # the same, and the operator's token at Capillary is used up at every step
# (vendor, way, by which process) → the calls of each step
WAYS: dict[tuple[str, str, str], Steps] = {
    ("itembase", CONNECT, "web"): FOUND,
    ("itembase", CONNECT, "worker"): FOUND,
    ("sharespine", CONNECT, "web"): ROOM,
    ("sharespine", CONNECT, "worker"): ROOM,
    ("celigo", CONNECT, "web"): ISSUED,
    ("celigo", CONNECT, "worker"): ISSUED,
    ("capillary", CONNECT, "web"): MAKE,
    ("capillary", CONNECT, "worker"): MAKE,
    ("capillary", SIGN_IN, "web"): SIGNED_IN,
    ("capillary", SIGN_IN, "worker"): SIGNED_IN,
    ("itembase", "check", "worker"): ((SHOPS,),),
    ("itembase", "refresh", "worker"): ((SHOPS, GRANT), (SHOPS,)),
    ("sharespine", "confirm", "worker"): ((ROOT, ORDERS),),
    ("sharespine", "pause", "web"): ((SWITCH,),),
    ("sharespine", "pause", "worker"): ((SWITCH,),),
    ("sharespine", "resume", "web"): ((SWITCH,),),
    ("sharespine", "resume", "worker"): ((SWITCH,),),
    ("sharespine", "disconnect", "web"): ((SWITCH,),),
    ("sharespine", "disconnect", "worker"): ((SWITCH,),),
    ("celigo", "check", "worker"): ((LICENCE,),),
    ("celigo", "extend", "web"): ((LICENCE, CHANGE),),
    ("celigo", "disconnect", "web"): ((LICENCE,), (LICENCE, CHANGE)),
    ("celigo", "disconnect", "worker"): ((LICENCE,), (LICENCE, CHANGE)),
    ("capillary", "check", "worker"): ((CLIENT,),),
    ("capillary", "rotate", "web"): ((CLIENT, SCOPES, CLIENTS), (CLIENTS, CREATE), (GENERATE,)),
    ("capillary", "rotate", "worker"): ((CLIENT, SCOPES, CLIENTS), (CLIENTS, CREATE), (GENERATE,)),
    ("capillary", "disconnect", "web"): ((CLIENTS, DELETE),),
    ("capillary", "disconnect", "worker"): ((CLIENTS, DELETE),),
}
THOROUGH = {CONNECT, "refresh"}  # at every boundary; the others where the deed is done


@dataclass(frozen=True)
class Case:
    vendor: str
    way: str
    by: str
    route: str
    nth: int
    at: str

    def __str__(self) -> str:
        words = self.route.replace("/", " ").translate(str.maketrans("{}", "  ")).split()
        call = f"{words[0]}-{words[-1]}-{self.nth}"
        return f"{self.vendor}-{self.way}-{self.by}-{call}-{self.at}".lower()


def cases_of(vendor: str, way: str, by: str) -> Iterator[Case]:
    """What follows the last call of a step belongs to the step."""
    seen: Counter[str] = Counter()
    for step in WAYS[vendor, way, by]:
        for number, route in enumerate(step, start=1):
            seen[route] += 1
            for at in boundaries(way, first=number == 1, last=number == len(step)):
                yield Case(vendor, way, by, route, seen[route], at)


def boundaries(way: str, *, first: bool, last: bool) -> tuple[str, ...]:
    if way == SIGN_IN:
        return (AFTER,) if first else ()
    if way in THOROUGH:
        return (*CALLS, *STEPS) if last else CALLS
    return (AFTER, DEED) if last else ()


def expected(case: Case) -> str:
    """How the shop stands in the end."""
    return {"disconnect": "disconnected", "pause": "paused"}.get(case.way, "connected")


CASES = tuple(case for key in WAYS for case in cases_of(*key))
