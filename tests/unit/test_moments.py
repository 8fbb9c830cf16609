"""Dates and times in words: one format, the reader's zone, and never an hour without its day."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone, translation
from django.utils.formats import date_format

from onboarding import languages, moments
from onboarding.middleware import reader_time_zone
from onboarding.models.status import dumped, shown
from vendors.contract import text

NOW = datetime(2026, 11, 29, 14, 30, tzinfo=UTC)
TODAY, YESTERDAY = (
    datetime(2026, 11, 29, 14, 2, tzinfo=UTC),
    datetime(2026, 11, 28, 9, 10, tzinfo=UTC),
)
OLD = datetime(2026, 11, 20, 2, 40, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.parametrize(
    ("at", "zone", "words"),
    [
        (TODAY, "Europe/Berlin", "today 15:02"),
        (YESTERDAY, "Europe/Berlin", "yesterday 10:10"),
        (OLD, "Europe/Berlin", "20 Nov 2026, 03:40 (Berlin time)"),
        (OLD, "America/New_York", "19 Nov 2026, 21:40 (New York time)"),
        (TODAY, "Pacific/Auckland", "today 03:02"),  # it is the 30th there
        (YESTERDAY, "Pacific/Auckland", "28 Nov 2026, 22:10 (Auckland time)"),
        (TODAY, None, "today 14:02 (UTC)"),
        (YESTERDAY, None, "yesterday 09:10 (UTC)"),
        (OLD, None, "20 Nov 2026, 02:40 (UTC)"),
        (NOW + timedelta(days=1), None, "30 Nov 2026, 14:30 (UTC)"),
    ],
)
def test_a_moment_in_words(at: datetime, zone: str | None, words: str) -> None:
    with timezone.override(zone):
        assert moments.in_words(at) == words


@pytest.mark.parametrize(
    ("language", "november", "march", "day"),
    [
        ("en", "20 Nov 2026", "3 Mar 2026", "20 November"),
        ("de", "20. Nov. 2026", "3. März 2026", "20. November"),
        ("sv", "20 nov 2026", "3 mars 2026", "20 november"),
        ("nl", "20 nov 2026", "3 mrt 2026", "20 november"),
        ("fr", "20 novembre 2026", "3 mars 2026", "20 novembre"),
        ("es", "20 nov 2026", "3 mar 2026", "20 de noviembre"),
    ],
)
def test_each_language_writes_dates_in_its_own_way(
    language: str, november: str, march: str, day: str
) -> None:
    with translation.override(language):
        assert date_format(OLD, "DATE_FORMAT") == moments.calendar_day(OLD) == november
        assert moments.calendar_day(OLD.replace(month=3, day=3)) == march
        assert date_format(OLD, "MONTH_DAY_FORMAT") == day
        assert date_format(OLD, "DATETIME_FORMAT") == f"{november}, 02:40 (UTC)"


@pytest.mark.parametrize("language", languages.NAMES)
def test_every_language_has_formats_of_ours(language: str) -> None:
    assert importlib.import_module(f"onboarding.formats.{language}.formats").TIME_FORMAT == "H:i"


def test_what_may_be_read_tomorrow_has_its_date() -> None:
    assert moments.in_full(TODAY) == "29 Nov 2026, 14:02 (UTC)"
    assert Template("{% load pages %}{{ at|full_moment }}").render(Context({"at": TODAY})) == (
        "29 Nov 2026, 14:02 (UTC)"
    )


def test_a_page_has_the_full_date_as_its_title() -> None:
    said = Template("{% load pages %}{{ at|moment }}").render(Context({"at": TODAY}))
    assert said == (
        '<time datetime="2026-11-29T14:02:00+00:00" title="29 Nov 2026, 14:02 (UTC)">'
        "today 14:02 (UTC)</time>"
    )


def test_a_stored_sentence_says_it_in_the_same_way() -> None:
    note = dumped(text("It ended %(time)s.", time=YESTERDAY))
    assert shown(note) == "It ended yesterday 09:10 (UTC)."
    assert shown(note, moments.in_full) == "It ended 28 Nov 2026, 09:10 (UTC)."


@pytest.mark.parametrize("name", ["DATETIME_FORMAT", "SHORT_DATETIME_FORMAT"])
def test_what_django_writes_itself_looks_alike(name: str) -> None:
    with translation.override("en"):
        assert date_format(timezone.localtime(OLD), name) == "20 Nov 2026, 02:40 (UTC)"
        assert date_format(OLD.date(), "DATE_FORMAT") == "20 Nov 2026"


@pytest.mark.parametrize(
    ("key", "words"),
    [("UTC", "UTC"), ("Etc/UTC", "UTC"), ("America/Argentina/Ushuaia", "Ushuaia time")],
)
def test_a_zone_is_called_as_people_call_it(key: str, words: str) -> None:
    assert moments.zone_name(key) == words


@pytest.mark.parametrize(
    "odd", ["", "Europe", "Nowhere/At_all", "../../etc/passwd", "Europe/Berlin\x00", "x" * 5000]
)
def test_any_text_may_stand_in_the_cookie(odd: str) -> None:
    assert moments.zone_called(odd) is None


@pytest.mark.parametrize(
    ("cookie", "zone"), [("Europe/Berlin", "Europe/Berlin"), ("no/zone", "UTC")]
)
def test_a_page_is_in_the_zone_of_its_readers_browser(cookie: str, zone: str) -> None:
    request = RequestFactory().get("/")
    request.COOKIES[moments.COOKIE] = cookie
    seen: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(timezone.get_current_timezone_name())
        return HttpResponse()

    reader_time_zone(view)(request)
    assert (seen, timezone.get_current_timezone_name()) == ([zone], "UTC")


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=1), ""),
        (timedelta(seconds=-1), ""),
    ],
)
def test_within_an_hour_it_is_so_long_ago(before: timedelta, words: str) -> None:
    assert moments.ago(NOW - before) == words


def test_the_page_can_say_the_time_once_the_hour_is_over() -> None:
    ago = Template("{% load pages %}{{ at|ago }}")
    at = NOW - timedelta(minutes=5)
    assert ago.render(Context({"at": at})) == (
        '<time datetime="2026-11-29T14:25:00+00:00" title="29 Nov 2026, 14:25 (UTC)"'
        ' data-then="today 14:25 (UTC)">5 minutes ago</time>'
    )
    assert ">yesterday 09:10 (UTC)</time>" in ago.render(Context({"at": YESTERDAY}))


def test_a_day_as_a_heading() -> None:
    days = [moments.day(at.date()) for at in (TODAY, YESTERDAY, OLD)]
    assert days == ["Today", "Yesterday", "20 Nov 2026"]
    with timezone.override("Pacific/Auckland"):  # it is the 30th there
        assert moments.day(TODAY.date()) == "Yesterday"
