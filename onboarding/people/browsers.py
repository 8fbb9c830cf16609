"""A short plain name of a browser, such as "Firefox on Windows", from what it says of itself.

It helps somebody to know their own sessions. Nothing depends on it: any program may call itself anything.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext

# The first that is found counts: Edge, Opera and Samsung's browser also call themselves Chrome, and Chrome
# calls itself Safari.
BROWSERS = {
    "Edge": r"\bEdg(e|A|iOS)?/",
    "Opera": r"\bOPR/|\bOpera\b",
    "Samsung Internet": r"\bSamsungBrowser/",
    "Firefox": r"\bFirefox/|\bFxiOS/",
    "Chrome": r"\bChrome/|\bHeadlessChrome/|\bCriOS/|\bChromium/",
    "Safari": r"\bVersion/[\d.]+ .*\bSafari/",
}
SYSTEMS = {
    "iPhone": r"\biPhone\b",
    "iPad": r"\biPad\b",
    "Android": r"\bAndroid\b",
    "Windows": r"\bWindows\b",
    "ChromeOS": r"\bCrOS\b",
    "Mac": r"\bMacintosh\b",
    "Linux": r"\bLinux\b|\bX11\b",
}
ON = " on "
LONGEST = 500  # characters that are looked at


def name_of(user_agent: str) -> str:
    """Names of products, as they are stored; empty for another browser."""
    browser, system = _first(BROWSERS, user_agent), _first(SYSTEMS, user_agent)
    return f"{browser}{ON}{system}" if browser and system else browser


def in_words(name: str) -> str:
    """A stored name in the reader's language."""
    browser, on, system = name.partition(ON)
    if not on:
        return browser or gettext("Another browser")
    return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": system}


def _first(patterns: dict[str, str], user_agent: str) -> str:
    text = user_agent[:LONGEST]
    return next((name for name, pattern in patterns.items() if re.search(pattern, text)), "")
