"""Whether a secret of a vendor, or of ours at one, stands where somebody could read it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from django.apps import apps
from django.core import mail
from django.db import connection as database

from tests.faults.scene import Play

Opens = Mapping[str, Sequence[str]]  # kind of thing in the vendor's sandbox → fields


def secrets(play: Play, opens: Opens) -> set[str]:
    """All that the sandbox has ever given out, and those of the operator's settings."""
    state, found = play.ground.stage.state(play.slug), set()
    for kind, fields in opens.items():
        found |= {str(row[name]) for row in state.get(kind, []) for name in fields if row[name]}
    for setting in dataclasses.fields(play.vendor):
        if not setting.repr and getattr(play.vendor, setting.name):
            found.add(str(getattr(play.vendor, setting.name)))
    return found


def places(page: str, logs: str) -> Iterator[tuple[str, str]]:
    """What people and machines can read: the page, logs, mails, and our tables as they lie on disk."""
    yield "the page", page
    yield "the logs", logs
    yield "a mail", "".join(f"{each.subject}{each.body}" for each in mail.outbox)
    with database.cursor() as cursor:
        for model in apps.get_app_config("onboarding").get_models():
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            yield model.__name__, str(cursor.fetchall())


def leaks(play: Play, opens: Opens, page: str, logs: str) -> list[str]:
    """Where one stands; never which."""
    known = secrets(play, opens)
    return [name for name, text in places(page, logs) if any(each in text for each in known)]
