"""Two web hosts and a worker host: one is killed, another's clock is set, and every shop is connected.

`make hosts` is the long run, with every host in every trouble.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.hosts import counting
from tests.hosts.installation import Installation, installation
from tests.hosts.merchants import Crowd
from tests.hosts.troubles import HOUR, PERIOD
from tests.hosts.verdict import faults
from tests.support.site import wait_until

pytestmark = pytest.mark.kills
MERCHANTS = 9
HELD = "SELECT id, lease_token FROM onboarding_account WHERE lease_until > clock_timestamp()"
EXPIRE = (
    "UPDATE onboarding_{} SET lease_until = clock_timestamp() WHERE id = %s AND lease_token = %s"
)


@pytest.fixture
def several_hosts() -> Iterator[Installation]:
    with installation(web=2, workers=1, CHECK_PERIOD=f"{PERIOD:.0f}s") as made:
        yield made


def skip_leases(made: Installation) -> None:
    """The leases of a host that has just died run out now: those that nobody has given back soon after."""
    held = made.rows(HELD)
    time.sleep(2)
    for row in held:
        made.database.execute(EXPIRE.format("account"), (row["id"], row["lease_token"]))
    due = (
        "UPDATE onboarding_attempt SET due_at = clock_timestamp() WHERE due_at > clock_timestamp()"
    )
    made.database.execute(due)


def test_a_killed_web_host_and_a_wrong_clock_lose_nothing_and_make_nothing_twice(
    several_hosts: Installation,
) -> None:
    made, hosts = several_hosts, several_hosts.hosts
    crowd = Crowd(iter(made.invite("m", MERCHANTS, "celigo", "itembase", "sharespine")), at_once=4)
    made.start()
    crowd.start()
    wait_until("some are connected", lambda: sum(each.connected for each in crowd.came) >= 2)
    hosts["worker-1"].set_clock(HOUR)
    hosts["web-1"].kill()
    skip_leases(made)
    hosts["web-1"].start()
    hosts["worker-1"].set_clock()
    crowd.wait()
    assert not crowd.failures
    assert not {name: found for name, found in faults(made, crowd).items() if found}
    assert not {
        row["column"]: row["rows"] for row in made.rows(counting.future(PERIOD)) if row["rows"]
    }
    assert not made.rows(counting.DOUBLED)
