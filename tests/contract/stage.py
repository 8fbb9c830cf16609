"""The stage of the contract test: all sandboxes, one merchant, and the ways that both go together."""

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
    """The sandboxes on a free port, and the site pointed at them by its settings alone."""
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
    """All vendors, with these settings beside those that point to the sandboxes."""
    slugs = [vendor.slug for vendor in vendors.ALL]
    return vendors.load({**sandbox.environ(stage.url, *slugs), **more})


@pytest.fixture
def browser(people: People) -> Browser:
    """Charlie, who has no colleagues: nobody asks whose address it shall be."""
    return Browser(people.charlie, people.other)


# -- merchants -------------------------------------------------------------------------------------


def connected_by_first_row(
    vendor: str, browser: Browser, stage: sandbox.Running, name: str = "My shop"
) -> Connection:
    """As the vendor's first row connects a shop; where that leaves something to do, undone."""
    contract = contracts()[vendor]
    row = contract.rows[0]
    if row.scene:
        row.scene(stage, browser)
    connector = Connector.objects.get(slug=contract.connector)
    link = browser.connect(connector, name)
    return travel(browser, link, *row.press, then=None, **contract.sign_in())


def page(shop: Connection) -> str:
    """The page that a merchant looks at: of the attempt that is open, else of the shop."""
    open_attempt = shop.attempts.filter(ended=None).first()
    return (open_attempt or shop).get_absolute_url()


def newest() -> Connection:
    return Connection.objects.latest("created")


def travel(
    browser: Browser, link: str, *press: str, then: Callable[[], None] | None = None, **form: str
) -> Connection:
    """Through the vendor's pages, and to "I have finished" where nobody is sent back."""
    wait_until_idle()
    browser.travel(link, *press, **form)
    if then:
        then()
    shop = newest()
    attempt = shop.attempts.latest("created")
    if journey.is_away_without_return(attempt):
        browser.press(attempt.get_absolute_url() + "finish/")
        wait_until_idle()
    return newest()


def go_on(stage: sandbox.Running, browser: Browser, shop: Connection, row: Row) -> Connection:
    """The vendor works again, staff do their part, and the merchant goes on."""
    account = Account.objects.get(pk=shop.account_id)
    if account.unsure:
        resolve(stage, account)
    if row.heal:
        row.heal(stage)
    time_passes()
    attempt = shop.attempts.filter(ended=None).first()
    if attempt is None:
        return newest()
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
    """Staff look at the vendor: what is unsure exists there, or it does not. Where a vendor can list,
    what was made is found without them."""
    found = contracts()[account.vendor].found
    state = stage.state(account.vendor)
    journey.resolve(account.pk, found(state, account.unsure) if found else None)


def made(stage: sandbox.Running, vendor: str, kinds: Mapping[str, int]) -> dict[str, int]:
    counted = stage.counts(vendor)["made"]
    return {kind: counted[kind] for kind in kinds if counted.get(kind)}


def live(stage: sandbox.Running, vendor: str) -> list[str]:
    """What works at the vendor, as its contract says."""
    return sorted(contracts()[vendor].live(stage.state(vendor)))


# -- what is said when a row is red ----------------------------------------------------------------


def demand(
    browser: Browser, shop: Connection, says: str, *rest: tuple[str, object, object]
) -> None:
    """The page says it, and of each `(what, seen, wanted)` both are the same. Else all that helps,
    once: which call it was, its note, and the page as it is read."""
    text = browser.page(page(shop))
    wrong = [
        f"{what}: {seen!r}, and not {wanted!r}" for what, seen, wanted in rest if seen != wanted
    ]
    if says not in text:
        wrong.append(f"the page does not say {says!r}")
    if wrong:
        raise AssertionError("\n".join([*wrong, *_seen(shop, text)]))


def _seen(shop: Connection, text: str) -> Iterator[str]:
    attempt = shop.attempts.latest("created")
    yield f"call: {attempt.purpose}, {attempt.call.get('name')}; answer: {attempt.answer}"
    yield f"note: {shown((shop if attempt.ended else attempt).note)}"
    yield f"page: {_words(text)}"


def _words(page: str) -> str:
    """What is read on a page: no tags, single blanks."""
    body = re.sub(r"<(script|style|title)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
