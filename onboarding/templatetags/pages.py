"""Template filters for merchants' pages: translated sentences, times, categories. `{% load pages %}`"""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from onboarding.models.status import StoredText, dumped, shown
from vendors.contract import Text

register = template.Library()


@register.filter
def sentence(text: Text | StoredText | None) -> str:
    """A vendor's sentence in the reader's language; `text` is a Text, or one as it is stored."""
    return shown(dumped(text) if text is None or isinstance(text, Text) else text)


@register.filter
def moment(at: datetime | str) -> SafeString | str:
    """A time for people; times.js converts it to the reader's time zone. A string stays as it is."""
    if not isinstance(at, datetime):
        return at
    local = timezone.localtime(at)
    today = local.date() == timezone.localdate()
    text = date_format(local, "H:i" if today else "j M Y, H:i")
    return format_html('<time datetime="{}">{} {}</time>', at.isoformat(), text, local.tzname())


@register.filter
def category_name(category: str) -> str:
    """A category's slug as words: "point-of-sale" → "Point of sale"."""
    return category.replace("-", " ").capitalize()
