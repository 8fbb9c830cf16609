"""What staff's pages call rows and columns can be translated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.functional import Promise

from onboarding.admin.labels import COLUMNS, HELP, ROWS

OURS = [model for model in admin.site._registry if model._meta.app_label == "onboarding"]


def columns(model: type[models.Model]) -> Iterator[models.Field[object, object]]:
    """The columns that the pages of this model show."""
    page: Any = admin.site._registry[model]
    sets = [options["fields"] for _, options in page.fieldsets or ()]
    for name in flatten([page.list_display, page.fields or (), sets]):
        try:
            found = model._meta.get_field(str(name))
        except FieldDoesNotExist:
            continue  # made by the page, with a name of its own
        if isinstance(found, models.Field):
            yield found


@pytest.mark.parametrize("model", OURS)
def test_staff_read_names_of_rows_and_columns_in_their_language(model: type[models.Model]) -> None:
    names = (model._meta.verbose_name, model._meta.verbose_name_plural)
    assert all(isinstance(each, Promise) for each in names)
    plain = [each.name for each in columns(model) if not isinstance(each.verbose_name, Promise)]
    assert plain == []


def test_a_label_says_in_english_what_the_code_does() -> None:
    """So no name of the code can be changed without its label, and no label is left behind."""
    for known in (COLUMNS, HELP):
        assert {name: str(label) for name, label in known.items()} == {name: name for name in known}
    assert {model._meta.model_name for model in OURS} == ROWS.keys()
