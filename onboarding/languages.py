"""The languages of the site."""

from __future__ import annotations

from django.conf import settings

# Each in its own words, as a reader looks for it.
NAMES: dict[str, str] = {
    "en": "English",
    "de": "Deutsch",
    "sv": "Svenska",
    "nl": "Nederlands",
    "fr": "Français",
    "es": "Español",
}
SOURCE = "en"  # what the sentences in code and templates are written in
# What readers can choose: the languages whose catalogue is complete (tests/unit/test_languages.py).
OFFERED: tuple[str, ...] = ("en", "de", "sv", "nl", "fr", "es")


def is_offered(code: str) -> bool:
    return code in dict(settings.LANGUAGES)
