"""Template filters for merchants' pages: translated sentences, times, categories. `{% load pages %}`"""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, ngettext

from onboarding import moments
from onboarding.models import Connector
from onboarding.models.status import StoredText, dumped, shown
from vendors.contract import Text

register = template.Library()
ABBREVIATIONS = {"crm", "erp", "pim", "pos", "wms"}
# Of our vendors, and of others that staff are likely to add; those of the vendors' own are shown as they are.
CATEGORIES = {
    "loyalty": gettext_lazy("Loyalty"),
    "marketplace": gettext_lazy("Marketplace"),
    "point-of-sale": gettext_lazy("Point of sale"),
    "shop": gettext_lazy("Shop"),
}


@register.filter
def sentence(text: Text | StoredText | None) -> str:
    """A vendor's sentence in the reader's language; `text` is a Text, or one as it is stored."""
    return shown(dumped(text) if text is None or isinstance(text, Text) else text)


@register.filter
def full_sentence(text: StoredText) -> str:
    """A stored sentence whose times have their dates, for what may be printed or read on another day."""
    return shown(text, moments.in_full)


@register.filter
def moment(at: datetime | str) -> SafeString | str:
    """A time for a page, with the full date as its title. A string stays as it is."""
    if not isinstance(at, datetime):
        return at
    words = at.isoformat(), moments.in_full(at), moments.in_words(at)
    return format_html('<time datetime="{}" title="{}">{}</time>', *words)


@register.filter
def ago(at: datetime) -> SafeString | str:
    """Like `moment`, but "5 minutes ago" in the first hour. `data-then`: what it says afterwards."""
    if not (said := moments.ago(at)):
        return moment(at)
    words = at.isoformat(), moments.in_full(at), moments.in_words(at), said
    return format_html('<time datetime="{}" title="{}" data-then="{}">{}</time>', *words)


@register.filter
def exact_moment(at: datetime) -> str:
    """A time to the second, for staff."""
    return moments.in_words(at, seconds=True)


@register.filter
def full_moment(at: datetime) -> str:
    """A time for a mail, which may be read on any day and anywhere."""
    return moments.in_full(at)


@register.filter
def category_name(category: str) -> str:
    """A category's slug as words: "point-of-sale" → "Point of sale", "erp" → "ERP"."""
    if category in CATEGORIES:
        return str(CATEGORIES[category])
    if category in ABBREVIATIONS:
        return category.upper()
    return category.replace("-", " ").capitalize()


@register.filter
def usual_time(connector: Connector) -> str:
    """How long connecting such a shop usually takes, in words; "" where we cannot tell yet."""
    minutes = connector.usual_minutes
    if minutes is None:
        return ""
    if minutes == 1:
        return gettext("Usually about a minute")
    sentence = ngettext("Usually %(minutes)s minute", "Usually %(minutes)s minutes", minutes)
    return sentence % {"minutes": minutes}
