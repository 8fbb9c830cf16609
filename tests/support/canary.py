"""Everything readable in the database: each text column of each table, with memos decrypted."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.apps import apps
from django.db import models

from onboarding.models import Session
from onboarding.models.memo import Unread

TEXTS = (models.CharField, models.TextField, models.JSONField)


def readable_values() -> Iterator[tuple[str, str]]:
    """(column, text) of every row."""
    for model in apps.get_models():
        fields = [each for each in model._meta.concrete_fields if isinstance(each, TEXTS)]
        for field in fields:
            for value in model._default_manager.values_list(field.attname, flat=True):
                if not isinstance(value, Unread):
                    yield f"{model.__name__}.{field.name}", json.dumps(value, ensure_ascii=False)
    for session in Session.objects.all():
        yield "Session", json.dumps(session.get_decoded())


def where(*words: str) -> set[str]:
    """The columns that hold one of these words."""
    return {
        column
        for column, text in readable_values()
        if any(word.lower() in text.lower() for word in words)
    }
