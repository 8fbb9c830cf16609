"""Fixtures and steps of the contract test: all sandboxes, one merchant, and how they interact."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

import vendors
from onboarding import journey
from onboarding.catalogue import refresh
from onboarding.models import Account, Attempt, Connection, Connector
from onboarding.models.memo import readable
from onboarding.models.status import shown
from onboarding.questions import ANSWER
from tests.contract.row import Row, contracts
from tests.support.merchant import Browser, time_passes, wait_until_idle
from tests.support.people import People
from vendors import sandbox
from vendors.sandbox.faults import PLAYS


@pytest.fixture
def stage(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[sandbox.Running]:
    """The sandboxes on a free port, with the site's settings pointing to them."""
    monkeypatch.setitem(PLAYS["slow"], "seconds", 0.1)
    running = sandbox.start(tmp_path, vendors=[vendor.slug for vendor in vendors.ALL])
    settings.VENDORS = offered(running, {})
    for vendor in settings.VENDORS.offered.values():
        refresh.refresh_catalogue(vendor)
    for contract in contracts().values():
        contract.ready()
    yield running
    wait_until_idle()
    running.stop()


def offered(stage: sandbox.Running, more: Mapping[str, str]) -> vendors.Loaded:
    """All vendors, with these settings in addition to those that point to the sandboxes."""
    slugs = [vendor.slug for vendor in vendors.ALL]
    return vendors.load({**sandbox.environ(stage.url, *slugs), **more})


@pytest.fixture
def browser(people: People) -> Browser:
    """Charlie, who has no colleagues, so that no page asks whose address to use."""
    return Browser(people.charlie, people.other)


# -- merchants -------------------------------------------------------------------------------------


def connect_by_first_row(
    vendor: str, browser: Browser, stage: sandbox.Running, name: str = "My shop"
) -> Connection:
    """Connect a shop as in the vendor's first row, without its `repair`."""
    contract = contracts()[vendor]
    row = contract.rows[0]
    if row.setup:
        row.setup(stage, browser)
    connector = Connector.objects.get(slug=contract.connector)
    link = browser.connect(connector, name)
    return travel(browser, link, *row.press, then=None, **contract.sign_in())


def page(connection: Connection) -> str:
    """The page of the open attempt, or of the shop if there is none."""
    open_attempt = connection.attempts.filter(ended=None).first()
    return (open_attempt or connection).get_absolute_url()


def newest_connection() -> Connection:
    return Connection.objects.latest("created")


def travel(
    browser: Browser, link: str, *press: str, then: Callable[[], None] | None = None, **form: str
) -> Connection:
    """Go through the vendor's pages, and press "I have finished" if the vendor does not redirect back."""
    wait_until_idle()
    browser.travel(link, *press, **form)
    if then:
        then()
    connection = newest_connection()
    attempt = connection.attempts.latest("created")
    if journey.is_at_vendor_without_return(attempt):
        browser.press(attempt.get_absolute_url() + "finish/")
        wait_until_idle()
    return newest_connection()


def continue_attempt(
    stage: sandbox.Running, browser: Browser, connection: Connection, row: Row
) -> Connection:
    """The vendor works again, staff do their part, and the merchant continues."""
    account = Account.objects.get(pk=connection.account_id)
    if account.unsure:
        resolve(stage, account)
    if row.repair:
        row.repair(stage)
    time_passes()
    attempt = connection.attempts.filter(ended=None).first()
    if attempt is None:
        return newest_connection()
    page = attempt.get_absolute_url()
    if attempt.questions:
        return travel(browser, browser.press(f"{page}answer/", **answers(attempt, row.choose)))
    return travel(browser, browser.press(f"{page}continue/"))


def answers(attempt: Attempt, choose: str) -> dict[str, str]:
    """The choice whose label says `choose`, for every question."""
    found = {}
    for question in attempt.questions:
        labels = {shown(label): value for value, label in question["choices"]}
        found[ANSWER + question["key"]] = next(labels[label] for label in labels if choose in label)
    return found


# -- staff, and what is at the vendor --------------------------------------------------------------


def resolve(stage: sandbox.Running, account: Account) -> None:
    """Staff settle an unsure creation. If the vendor can list, it is found without them."""
    found = contracts()[account.vendor].found
    state = stage.state(account.vendor)
    journey.resolve(account.pk, found(state, account.unsure) if found else None)


def created(stage: sandbox.Running, vendor: str, kinds: Mapping[str, int]) -> dict[str, int]:
    counted = stage.counts(vendor)["made"]
    return {kind: counted[kind] for kind in kinds if counted.get(kind)}


def live_ids(stage: sandbox.Running, vendor: str) -> list[str]:
    """The ids of what works at the vendor, as its contract says."""
    return sorted(contracts()[vendor].live(stage.state(vendor)))


# -- messages of a failed row -----------------------------------------------------------------------


def expect(
    browser: Browser, connection: Connection, says: str, *rest: tuple[str, object, object]
) -> None:
    """The page says `says`, and in each `(what, seen, wanted)` both are equal. Otherwise AssertionError
    with the differences, the call, its note and the text of the page."""
    text = browser.page(page(connection))
    wrong = [
        f"{what}: {seen!r}, and not {wanted!r}" for what, seen, wanted in rest if seen != wanted
    ]
    if says not in text:
        wrong.append(f"the page does not say {says!r}")
    if wrong:
        raise AssertionError("\n".join([*wrong, *_seen(connection, text)]))


def _seen(connection: Connection, text: str) -> Iterator[str]:
    attempt = connection.attempts.latest("created")
    yield f"call: {attempt.purpose}, {readable(attempt.call).get('name')}; answer: {attempt.answer}"
    yield f"note: {shown((connection if attempt.ended else attempt).note)}"
    yield f"page: {_words(text)}"


def _words(page: str) -> str:
    """The visible text of a page, with runs of blanks collapsed."""
    body = re.sub(r"<(script|style|title)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
