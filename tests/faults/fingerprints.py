"""The fingerprint of a cell: the state of our rows and of the sandbox, without ids and times.

How people continue depends on this state alone. So of the cells of one scene with the same fingerprint,
only one is continued.
"""

from __future__ import annotations

import re
from typing import Any

from onboarding.models import Account, Attempt, Connection
from tests.faults.scene import Driver

NAME = re.compile(r"[A-Za-z_. -]{0,24}")  # no id, no time, no secret
OURS = {
    Account: ["memo", "key", "announced", "unsure"],
    Connection: [
        "status",
        "turn",
        "answer",
        "cause",
        "memo",
        "key",
        "shop_id",
        "task",
        "expires_at",
    ],
    Attempt: ["status", "turn", "answer", "cause", "call", "ticks", "account_memo"],
}


def fingerprint(driver: Driver) -> str:
    ours = [
        [[_plain(getattr(row, name)) for name in fields] for row in model._default_manager.all()]
        for model, fields in OURS.items()
    ]
    drafts = [_plain(row.connection_memo) for row in Attempt.objects.all()]
    return repr([ours, drafts, _plain(driver.injector.stage.state(driver.slug))])


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((_plain(key), _plain(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, str):
        return value if NAME.fullmatch(value) else "…"
    return value if isinstance(value, bool | None) else "1"
