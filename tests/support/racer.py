"""A child process of a race test: it prepares one action and performs it on a signal.

It runs as `python -m tests.support.racer`. It reads a line of JSON, {"act": …, and its arguments},
prepares the action and reports that it is ready. The next line starts the action; then it reports
the result. tests/support/racing.py is the other end.
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

from django.core.mail import EmailMessage  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.test import Client  # noqa: E402

from onboarding import journey  # noqa: E402
from onboarding.background import runner  # noqa: E402
from onboarding.journey.leases import BY_KEY, Lease, LeaseLost  # noqa: E402
from onboarding.models import Account, User, memo_key  # noqa: E402
from onboarding.notifications import notices  # noqa: E402
from onboarding.views.vendor_trip.browser import COOKIE  # noqa: E402
from tests.support import sweep as sweeps  # noqa: E402

Act = Callable[[], Any]


def signed_in(user: int) -> Client:
    client = Client(SERVER_NAME="localhost")
    who = User.objects.get(pk=user)
    client.force_login(who, "allauth.account.auth_backends.AuthenticationBackend")
    return client


def press(user: int, path: str, **form: str) -> Act:
    """A merchant presses a button. Returns the target of the redirect."""
    client = signed_in(user)
    return lambda: client.post(path, form).headers.get("Location", "")


def open_page(user: int, path: str, browser: str = "") -> Act:
    """`browser`: the cookie that tells the user's browser from others."""
    client = signed_in(user)
    client.cookies[COOKIE] = browser
    return lambda: client.get(path).headers.get("Location", "")


def sweep() -> Act:
    """A worker runs everything that is due."""
    return sweeps.sweep


def resolve(account: int, found: str | None) -> Act:
    """Staff settle an unsure creation. Returns the class name of the outcome."""
    return lambda: type(journey.resolve(account, found)).__name__


def take(account: int, token: str) -> Act:
    return Lease(BY_KEY[Account], account, token).acquire


def renew(account: int, token: str) -> Act:
    def act() -> bool:
        try:
            Lease(BY_KEY[Account], account, token).renew()
        except LeaseLost:
            return False
        return True

    return act


def prove() -> Act:
    """A process starts, and makes the canary of its key."""
    return memo_key.prove


def mail(dies: str = "") -> Act:
    """A worker sends what is due. `dies`: it is killed "before" or "after" the mail server has its mail."""
    hand_over = EmailMessage.send

    def send_and_die(message: EmailMessage, fail_silently: bool = False) -> int:
        if dies == "after":
            hand_over(message, fail_silently)
        os._exit(9)

    if dies:
        EmailMessage.send = send_and_die  # type: ignore[method-assign,assignment]
    return notices.mail_due


ACTS: dict[str, Callable[..., Act]] = {
    each.__name__: each for each in (press, open_page, sweep, resolve, take, renew, prove, mail)
}


def send(**message: Any) -> None:
    sys.stdout.write(f"{json.dumps(message)}\n")
    sys.stdout.flush()


def outcome(act: Act) -> dict[str, Any]:
    try:
        result = act()
        runner.executor.idle()
    except Exception:  # noqa: BLE001  # the test fails with any of them
        return {"failed": traceback.format_exc()}
    finally:
        connections.close_all()
    return {"result": result}


def main() -> None:
    runner.HAND_OVER_TIMEOUT = 60  # a busy machine must not fail a test
    for line in sys.stdin:
        request = json.loads(line)
        number, act = request.pop("number"), ACTS[request.pop("act")](**request)
        connection.ensure_connection()
        send(number=number, ready=True)
        sys.stdin.readline()
        send(number=number, **outcome(act))


if __name__ == "__main__":
    main()
