"""A tab that went stale, because somebody signed in in another one: what was typed there is not lost."""

from __future__ import annotations

import pytest
from django.conf import settings
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE, Visit


@pytest.mark.parametrize(
    ("scripts", "width", "dark"),
    [(True, WIDE, False), (False, NARROW, True), (True, NARROW, False)],
)
def test_a_form_in_a_stale_tab_is_sent_again_with_one_button(
    visit: Visit, scripts: bool, width: int, dark: bool
) -> None:
    ann = visit("ann", scripts=scripts, width=width, dark=dark)
    ann.sign_up("another shop system", "Ann’s Antiques")
    ann.name_shop("The shop at the corner")
    ann.page.context.clear_cookies(
        name=settings.CSRF_COOKIE_NAME
    )  # another tab has got another one
    ann.press("Continue to Sharespine")
    ann.sees("The shop at the corner")
    ann.shoot("stale")
    ann.press("Send again")
    there = ann.page.get_by_text("An imitation of")
    waiting = ann.page.get_by_role("button", name="Continue to Sharespine")
    expect(there.or_(waiting).first).to_be_visible()
