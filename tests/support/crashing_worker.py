"""A worker that crashes, as if killed, when it reaches the shop of the merchant "deadly".

It runs as `python -m tests.support.crashing_worker`.
"""

from __future__ import annotations

import os

import django


def main() -> None:
    from django.core.management import call_command

    from vendors.celigo.flow import Celigo
    from vendors.contract import Order, Step

    start = Celigo.start

    def crash(self: Celigo, order: Order) -> Step:
        if order.merchant.name == "deadly":
            os._exit(9)
        return start(self, order)

    Celigo.start = crash  # type: ignore[method-assign]
    call_command("worker")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onboarding.settings")
    django.setup()
    main()
