"""A short plain name of a browser, such as "Firefox on Windows", from what it says of itself.

It helps somebody to know their own sessions. Nothing depends on it: any program may call itself anything.
"""

from __future__ import annotations

import re

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
LONGEST = 500  # characters that are looked at


def name_of(user_agent: str) -> str:
    """Names of products, the same in all languages; empty for another browser."""
    browser, system = _first(BROWSERS, user_agent), _first(SYSTEMS, user_agent)
    return f"{browser} on {system}" if browser and system else browser


def _first(patterns: dict[str, str], user_agent: str) -> str:
    text = user_agent[:LONGEST]
    return next((name for name, pattern in patterns.items() if re.search(pattern, text)), "")
