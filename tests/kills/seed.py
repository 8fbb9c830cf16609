"""`python -m tests.kills.seed NAME …` creates a signed-in merchant per name, and a member of staff.

It prints {name: {"merchant": reference, "session": …}} as JSON; the merchant of staff is "".
"""

from __future__ import annotations

import json
import os
import sys

import django


def main(names: list[str]) -> None:
    from django.conf import settings
    from django.db import transaction

    from onboarding.catalogue import refresh
    from tests.contract.row import contracts

    for vendor in settings.VENDORS.offered.values():
        refresh.refresh_catalogue(vendor)
    for contract in contracts().values():
        contract.ready()
    with transaction.atomic():
        users = {name: merchant(name) for name in names} | {"staff": staff()}
    sys.stdout.write(json.dumps(users))


def merchant(name: str) -> dict[str, str]:
    from tests.support.people import business, person

    user = person(f"{name}@example.org", name)
    return {"merchant": business(name, owner=user).reference, "session": session(user)}


def staff() -> dict[str, str]:
    from onboarding.management.commands.staff import make_staff

    return {"merchant": "", "session": session(make_staff("staff@example.com"))}


def session(user: object) -> str:
    from django.test import Client

    client = Client()
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")  # type: ignore[arg-type]
    return client.cookies["gangway_session"].value


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onboarding.settings")
    django.setup()
    main(sys.argv[1:])
