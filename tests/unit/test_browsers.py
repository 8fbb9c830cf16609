"""The name of a browser on the page of sessions."""

from __future__ import annotations

import time

import pytest
from django.utils.translation import override

from onboarding.people.browsers import in_words, name_of

MOZILLA = "Mozilla/5.0"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
WINDOWS = "(Windows NT 10.0; Win64; x64)"
MAC = "(Macintosh; Intel Mac OS X 10_15_7)"
IPHONE = "(iPhone; CPU iPhone OS 18_6 like Mac OS X)"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (f"{MOZILLA} (Windows NT 10.0; rv:142.0) Gecko/20100101 Firefox/142.0", "Firefox on Windows"),
        (f"{MOZILLA} (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0", "Firefox on Linux"),
        (f"{MOZILLA} (Android 15; Mobile; rv:142.0) Gecko/142.0 Firefox/142.0", "Firefox on Android"),
        (f"{MOZILLA} {IPHONE} {WEBKIT} FxiOS/142.0 Mobile/15E148 Safari/605.1", "Firefox on iPhone"),
        (f"{MOZILLA} {WINDOWS} {CHROME} Safari/537.36", "Chrome on Windows"),
        (f"{MOZILLA} (X11; Linux x86_64) HeadlessChrome/142.0 Safari/537.36", "Chrome on Linux"),
        (f"{MOZILLA} (X11; CrOS x86_64 14541.0.0) {CHROME} Safari/537.36", "Chrome on ChromeOS"),
        (f"{MOZILLA} (Linux; Android 10; K) {CHROME} Mobile Safari/537.36", "Chrome on Android"),
        (f"{MOZILLA} {IPHONE} {WEBKIT} CriOS/142.0 Mobile/15E148 Safari/604.1", "Chrome on iPhone"),
        (f"{MOZILLA} {WINDOWS} {CHROME} Safari/537.36 Edg/142.0.0.0", "Edge on Windows"),
        (f"{MOZILLA} {MAC} {CHROME} Safari/537.36 OPR/127.0.0.0", "Opera on Mac"),
        (f"{MOZILLA} (Linux; Android 15; SM-S9) SamsungBrowser/28.0 {CHROME} Mobile Safari/537.36",
         "Samsung Internet on Android"),
        (f"{MOZILLA} {MAC} {WEBKIT} Version/18.6 Safari/605.1.15", "Safari on Mac"),
        (f"{MOZILLA} {IPHONE} {WEBKIT} Version/18.6 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        ("Firefox/142.0", "Firefox"),
        ("curl/8.14.1", ""),
        ("python-requests/2.32", ""),
        (f"{MOZILLA} {WINDOWS}", ""),
        ("", ""),
        ("<b>Firefox/1</b> on \u202e Windows", "Firefox on Windows"),
    ],
)  # fmt: skip
def test_a_browser_has_a_plain_name(user_agent: str, name: str) -> None:
    assert name_of(user_agent) == name


def test_a_name_fits_its_column_and_a_long_header_costs_nothing() -> None:
    start = time.perf_counter()
    assert name_of("Version/1." + "1" * 1_000_000 + " Safari/") == ""
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ("Firefox on Windows", "Firefox auf Windows"),
        ("Samsung Internet on Android", "Samsung Internet auf Android"),
        ("Firefox", "Firefox"),
        ("", "Ein anderer Browser"),
    ],
)
def test_it_is_said_in_the_language_of_the_reader(stored: str, said: str) -> None:
    with override("de"):
        assert in_words(stored) == said
