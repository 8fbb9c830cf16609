#!/usr/bin/env python
"""Django's command line; `manage.py help` lists the commands."""

from __future__ import annotations

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onboarding.settings")
    from django.core.management import execute_from_command_line
    from django.db import Error

    try:
        execute_from_command_line(sys.argv)
    except Error:
        from onboarding.doctor.database import database

        if (found := database()).level == "ok":
            raise  # it lets us in: this is no fault of the operator
        sys.exit(f"{found.message} {found.fix}")


if __name__ == "__main__":
    main()
