"""allauth's lifetimes by the site's clock: of mailed codes, of sign-ins under way, of “Is it still you?”.

allauth notes `time.time()` in the session and compares it later, perhaps on another machine. With two web
servers an hour apart, every second code would have expired when it is mailed. allauth has no setting for
its clock, so its modules get ours in place of the module `time`. Codes of authenticator apps stay with the
machine's clock: phones know nothing of our database.
"""

from __future__ import annotations

from types import SimpleNamespace

from allauth.account import models
from allauth.account.internal import stagekit
from allauth.account.internal.flows import (
    code_verification,
    login,
    password_reset_by_code,
    reauthentication,
)

from onboarding import clock

CLOCKED = (models, stagekit, code_verification, login, password_reset_by_code, reauthentication)


def install() -> None:
    """Once in each process."""
    for module in CLOCKED:
        module.time = SimpleNamespace(time=clock.timestamp)
