"""Leak detection: whether a secret appears on a page, in logs, in mails or in the database."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from django.apps import apps
from django.core import mail
from django.db import connection as database

from tests.faults.scene import Driver

Opens = Mapping[str, Sequence[str]]  # kind of thing in the vendor's sandbox → fields


def secrets(driver: Driver, opens: Opens) -> set[str]:
    """All secrets that the sandbox has issued, and those of the operator's settings."""
    state, found = driver.injector.stage.state(driver.slug), set()
    for kind, fields in opens.items():
        found |= {str(row[name]) for row in state.get(kind, []) for name in fields if row[name]}
    for setting in dataclasses.fields(driver.vendor):
        if not setting.repr and getattr(driver.vendor, setting.name):
            found.add(str(getattr(driver.vendor, setting.name)))
    return found


def places(page: str, logs: str) -> Iterator[tuple[str, str]]:
    """The texts to search: the page, the logs, the mails, and our tables as they are stored."""
    yield "the page", page
    yield "the logs", logs
    yield "a mail", "".join(f"{each.subject}{each.body}" for each in mail.outbox)
    with database.cursor() as cursor:
        for model in apps.get_app_config("onboarding").get_models():
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            yield model.__name__, str(cursor.fetchall())


def leaks(driver: Driver, opens: Opens, page: str, logs: str) -> list[str]:
    """The names of the places in which a secret appears; never the secret itself."""
    known = secrets(driver, opens)
    return [name for name, text in places(page, logs) if any(each in text for each in known)]
