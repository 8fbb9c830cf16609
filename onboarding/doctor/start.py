"""What stops a process from starting: the same sentences in `manage.py check`, `serve`, worker, web server.

A database that does not answer may come back, so web server and worker start without it. One that refuses
us will not, and with a key missing from MEMO_KEYS no process may work.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import suppress

from django.conf import settings
from django.core.checks import CheckMessage, Error, run_checks
from django.core.checks import Warning as CheckWarning
from django.db import Error as DatabaseError

from onboarding.models import memo_key
from onboarding.notifications import staff_alerts

from . import site
from .database import database, is_permanent

log = logging.getLogger(__name__)
LOAD_ERROR = 4  # gunicorn then stops, instead of starting the same worker again and again
MAY_COME_BACK = "onboarding.E016"
KEY_MISSING = "onboarding.E015"


def faults() -> Iterator[CheckMessage]:
    """What is wrong beyond the settings themselves: the database, then the keys, which it proves."""
    if settings.DATA_DIR_FAULT:
        return  # E013 says so; SQLite could say no more
    found = database()
    if found.level == "fault":
        id = "onboarding.E014" if is_permanent(found) else MAY_COME_BACK
        yield Error(found.message, hint=found.fix, id=id)
    elif _is_key_missing():
        yield Error(memo_key.MISSING, hint=memo_key.FIX, id=KEY_MISSING)


def _is_key_missing() -> bool:
    try:
        return not memo_key.are_proven()
    except (DatabaseError, ValueError):  # no tables yet; no usable key, which E003 says
        return False


def services() -> Iterator[CheckMessage]:
    """What the site can start without, but should not."""
    if said := site.redis_fault():
        yield CheckWarning(said, hint=site.REDIS_FIX, id="onboarding.W006")
    if (found := site.mail()).level == "fault":
        yield CheckWarning(found.message, hint=found.fix, id="onboarding.W007")


def refuse_to_start(*, warn: bool = False) -> None:
    """Before a process works: prove MEMO_KEYS. End it, with a line for each fault, if it must not work."""
    found = [*run_checks(), *faults()]
    ids = {each.id for each in found if each.is_serious()}
    for each in found:
        if each.is_serious() or warn:
            words = " ".join(filter(None, (each.msg, each.hint)))
            log.log(each.level, "%s (%s)", words, each.id)
    if KEY_MISSING in ids:
        staff_alerts.open_for_memo_keys()
    if ids - {MAY_COME_BACK}:
        sys.exit(LOAD_ERROR)
    memo_key.proof_is_due = True
    with suppress(DatabaseError):  # away, or no tables yet
        memo_key.prove()
        memo_key.proof_is_due = False
        staff_alerts.clear_for_memo_keys()
