"""The troubles that befall a host, and what is watched meanwhile."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.hosts import counting, network
from tests.hosts.counting import Shop, Trouble
from tests.hosts.host import Host
from tests.hosts.installation import Installation
from tests.hosts.merchants import Crowd
from tests.support.site import wait_until

PERIOD = 120.0  # seconds between two checks of a shop
HOUR = 3600.0
RECOVERY = 10.0  # seconds after a trouble


@dataclass(frozen=True)
class Kind:
    """A kind of trouble: how it begins and ends, and how long it lasts on a web host and on a worker."""

    name: str
    begin: Callable[[Host], None]
    end: Callable[[Host], None]
    lasts: dict[str, float]
    loses_answers: bool = True
    must_say: str = ""  # what /health/ready has to name within a minute


KINDS = (
    Kind("killed", Host.kill, Host.start, {"web": 15, "worker": 75}),
    Kind("stopped", Host.stop, Host.go_on, {"web": 60, "worker": 60}),
    Kind(
        "an hour ahead, and back",
        lambda host: host.set_clock(HOUR),
        lambda host: host.set_clock(),
        {"web": 60, "worker": 60},
        loses_answers=False,
        must_say="clock",
    ),
    Kind(
        "cut off",
        lambda host: network.cut(host.name),
        lambda host: network.mend(host.name),
        {"web": 60, "worker": 60},
    ),
)


@dataclass
class Run:
    made: Installation
    crowd: Crowd
    troubles: list[Trouble] = field(default_factory=list)
    began: float = field(default_factory=time.time)

    def go_through(self, host: Host, kind: Kind, lasts: float) -> Trouble:
        """One trouble of one host, from its begin to when the others had time to make up for it."""
        if host.does == "worker":
            wait_until(f"{host.name} checks a shop", lambda: self._is_checking(host))
        trouble = Trouble(host.name, host.address, kind.name, kind.loses_answers, time.time())
        self.troubles.append(trouble)
        kind.begin(host)
        self._watch(trouble, lasts)
        kind.end(host)
        trouble.ended = time.time()
        self.made.wait_for(host)
        self._watch(trouble, RECOVERY)
        trouble.until = time.time()
        known = sum((each.future for each in self.troubles), Counter())
        trouble.future = self._future() - known
        return trouble

    def _is_checking(self, host: Host) -> bool:
        keys = {shop.key for shop in self.shops()}
        return any(
            call.peer == host.address and call.ended is None
            and call.thing.rpartition("/")[2] in keys
            for call in self.made.calls()
        )  # fmt: skip

    def _watch(self, trouble: Trouble, seconds: float) -> None:
        """Note whatever /health/ready of the web hosts says beside "ok"."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 2.0))
            for host in self.made.hosts.values():
                checks = self.made.health(host) if host.does == "web" else {}
                for check, said in checks.items():
                    if said != "ok":
                        text = f"{host.name}: {check}: {_without_figures(said)}"
                        trouble.said.setdefault(text, time.time() - trouble.began)

    def _future(self) -> Counter[str]:
        rows = self.made.rows(counting.future(PERIOD))
        return Counter({row["column"]: row["rows"] for row in rows})

    def shops(self) -> list[Shop]:
        return [Shop(**row) for row in self.made.rows(counting.SHOPS)]


def _without_figures(text: str) -> str:
    return "".join("#" if character.isdigit() else character for character in text)
