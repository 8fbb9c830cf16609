"""Called back in Chromium: the page is closed, and a mail leads back to it from another device."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, Visit
from tests.support.site import Site, wait_until
from vendors import sandbox

TENANT = "POST /reseller/tenant"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that gives nobody long to see it on their page."""
    folder = tmp_path_factory.mktemp("site")
    stage = sandbox.start(folder / "sandbox", vendors=["sharespine"])
    site = Site(folder, stage, extra_env={"NOTICE_AFTER": "1s"})
    site.prepare()
    site.start()
    yield site
    site.stop()
    stage.stop()


def test_who_left_the_page_is_called_back_once(visit: Visit, site: Site) -> None:
    site.stage.fault("sharespine", TENANT, kind="hold", times=1)
    ann = visit("ann")
    ann.sign_up("another shop system", "Ann’s Antiques")
    ann.press("Continue to Sharespine")
    site.stage.wait_until_held("sharespine", TENANT)
    ann.sees("Preparing your connection to Sharespine")
    expect(ann.page).to_have_title(re.compile("^Preparing"))
    ann.page.close()
    mails = len(site.mails(ann.email))
    site.stage.release("sharespine", TENANT)
    link = site.link(ann.email, "/m/")
    phone = visit("ann", width=NARROW)
    phone.email = ann.email
    phone.page.goto(link)
    phone.sign_in()
    phone.sees("Everything is ready")
    expect(phone.page).to_have_title(re.compile(r"^\(1\) Your turn · Everything is ready"))
    phone.shoot("back")
    wait_until("the code is there", lambda: len(site.mails(ann.email)) == mails + 2)


def test_a_tab_that_stays_open_says_so(visit: Visit, site: Site) -> None:
    site.stage.fault("sharespine", TENANT, kind="hold", times=1)
    ben = visit("ben")
    ben.sign_up("another shop system", "Ben’s Books")
    ben.press("Continue to Sharespine")
    site.stage.wait_until_held("sharespine", TENANT)
    expect(ben.page).to_have_title(re.compile("^Preparing"))
    site.stage.release("sharespine", TENANT)
    expect(ben.page).to_have_title(re.compile(r"^\(1\) Your turn · Everything is ready"))
