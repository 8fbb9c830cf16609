"""Sentences of vendors, moments and kinds for the merchant's pages: `{% load pages %}`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from onboarding.models.status import dumped, shown
from vendors.contract import Text

register = template.Library()


@register.filter
def said(text: Text | Mapping[str, Any] | None) -> str:
    """A vendor's sentence, as it is or as it is stored, in the reader's language."""
    return shown(dumped(text) if text is None or isinstance(text, Text) else text)


@register.filter
def moment(at: datetime | str) -> SafeString | str:
    """A time for people; times.js turns it into the reader's own time. Words stay as they are."""
    if not isinstance(at, datetime):
        return at
    local = timezone.localtime(at)
    today = local.date() == timezone.localdate()
    text = date_format(local, "H:i" if today else "j M Y, H:i")
    return format_html('<time datetime="{}">{} {}</time>', at.isoformat(), text, local.tzname())


@register.filter
def category_name(category: str) -> str:
    """The words for a category's slug."""
    return category.replace("-", " ").capitalize()
