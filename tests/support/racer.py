"""`python -m tests.racer`: a process that gets ready for one act, and does it when it is told to go.

It reads a line of JSON, {"act": …, and its arguments}, gets ready and says so; the next line starts
it; then it says what came of it. tests/racing.py is the other end.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onboarding.settings")
django.setup()

from django.db import connection, connections  # noqa: E402
from django.test import Client  # noqa: E402

from onboarding import journey  # noqa: E402
from onboarding.background import runner  # noqa: E402
from onboarding.journey.leases import Lease, LeaseLost  # noqa: E402
from onboarding.models import Account, User  # noqa: E402

Act = Callable[[], Any]


def signed_in(user: int) -> Client:
    client = Client(SERVER_NAME="localhost")
    who = User.objects.get(pk=user)
    client.force_login(who, "allauth.account.auth_backends.AuthenticationBackend")
    return client


def press(user: int, path: str, **form: str) -> Act:
    """A merchant presses a button; where it leads, once nothing is under way any more."""
    client = signed_in(user)
    return lambda: client.post(path, form).headers.get("Location", "")


def open_page(user: int, path: str) -> Act:
    client = signed_in(user)
    return lambda: client.get(path).headers.get("Location", "")


def sweep() -> Act:
    """A worker looks what is due, and does it."""
    return runner.sweep


def resolve(account: int, found: str | None) -> Act:
    """Staff decide; the kind of answer."""
    return lambda: type(journey.resolve(account, found)).__name__


def take(account: int, token: str) -> Act:
    return lambda: Lease(Account, account, token).acquire()


def renew(account: int, token: str) -> Act:
    def act() -> bool:
        try:
            Lease(Account, account, token).renew()
        except LeaseLost:
            return False
        return True

    return act


ACTS: dict[str, Callable[..., Act]] = {
    each.__name__: each for each in (press, open_page, sweep, resolve, take, renew)
}


def say(**words: Any) -> None:
    sys.stdout.write(f"{json.dumps(words)}\n")
    sys.stdout.flush()


def outcome(act: Act) -> dict[str, Any]:
    try:
        came = act()
        runner.executor.idle()
    except Exception:  # noqa: BLE001  # whatever it is, the test fails with it
        return {"failed": traceback.format_exc()}
    finally:
        connections.close_all()
    return {"came": came}


def main() -> None:
    runner.HAND_OVER_TIMEOUT = 60  # how busy the machine is decides nothing
    for line in sys.stdin:
        asked = json.loads(line)
        number, act = asked.pop("number"), ACTS[asked.pop("act")](**asked)
        connection.ensure_connection()
        say(number=number, ready=True)
        sys.stdin.readline()
        say(number=number, **outcome(act))


if __name__ == "__main__":
    main()
