"""Template filters for merchants' pages: translated sentences, times, categories. `{% load pages %}`"""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

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
def day_and_time(at: datetime) -> SafeString:
    """A time within a sentence, with its day: "today at 14:02". times.js does it in the reader's zone."""
    local, today = timezone.localtime(at), timezone.localdate()
    layouts = {
        "today": gettext("today at {time}"),
        "yesterday": gettext("yesterday at {time}"),
        "other": gettext("on {day} at {time}"),
    }
    days = {today: "today", today - timedelta(days=1): "yesterday"}
    text = layouts[days.get(local.date(), "other")].format(
        day=date_format(local, "j M Y"), time=f"{date_format(local, 'H:i')} {local.tzname()}"
    )
    template = '<time datetime="{}" data-today="{}" data-yesterday="{}" data-other="{}">{}</time>'
    return format_html(template, at.isoformat(), *layouts.values(), text)


@register.filter
def category_name(category: str) -> str:
    """A category's slug as words: "point-of-sale" → "Point of sale"."""
    return category.replace("-", " ").capitalize()
