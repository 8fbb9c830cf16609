"""A merchant connects their first shop in each language that is offered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import pytest
from django.utils import translation
from playwright.sync_api import expect

from onboarding import languages
from tests.browser.conftest import Visit, Visitor
from tests.support import translations, words

TRANSLATED = [code for code in languages.OFFERED if code != languages.SOURCE]
WHOLE = re.compile(r"[^%<{\n]+")  # it stands on a page as it is written here
SHORTEST = 3  # words; shorter ones may be names, or the same in both languages


@dataclass
class Reader:
    """Presses what is written in this language, and finds no English beside it."""

    visitor: Visitor
    language: str

    def said(self, message: str, **put_in: str) -> str:
        with translation.override(self.language):
            return translation.gettext(message) % put_in if put_in else translation.gettext(message)

    def press(self, message: str, **put_in: str) -> None:
        self.reads()
        self.visitor.page.get_by_role("button", name=self.said(message, **put_in)).click()

    def enter(self, label: str, text: str) -> None:
        self.visitor.page.get_by_label(self.said(label)).fill(text)

    def sees(self, message: str, **put_in: str) -> None:
        self.visitor.sees(self.said(message, **put_in))
        self.reads()

    def reads(self) -> None:
        page = self.visitor.page
        expect(page.locator("html")).to_have_attribute("lang", self.language)
        assert english(page.locator("body").inner_text() + page.title(), self.language) == []


def english(text: str, language: str) -> list[str]:
    """The sentences of the catalogue that stand here as they are in English."""
    known = translations.by_sentence(language)
    return [each for each in in_english() if each in text and each != known.get(each)]


@cache
def in_english() -> list[str]:
    said = {each.plain for each in words.sentences() if each.is_merchants}
    return sorted(each for each in said if WHOLE.fullmatch(each) and len(each.split()) >= SHORTEST)


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_merchant_connects_a_shop_in_their_language(visit: Visit, language: str) -> None:
    visitor = visit("ann", locale=language)
    ann = Reader(visitor, language)
    visitor.open("/")
    ann.reads()
    visitor.follow(ann.said("Connect a shop"))
    ann.reads()
    visitor.follow("eBay")
    ann.reads()
    ann.enter("Email address", visitor.email)
    ann.press("Send me a code")
    ann.enter("Six-digit code", visitor.site.code(visitor.email))
    ann.enter("What is your business called?", "Ann’s Antiques")
    ann.press("Continue to %(vendor_name)s", vendor_name="itembase")
    visitor.press("Connect the store")
    visitor.press("Allow")
    ann.sees("“%(shop)s” is connected", shop="eBay")
    visitor.follow(ann.said("See this shop"))
    ann.sees("Confirmed by %(vendor)s", vendor="itembase")
    visitor.shoot("shop")
    visitor.page.get_by_role("button", name="English", exact=True).click()
    expect(visitor.page.locator("html")).to_have_attribute("lang", "en")
    for mail in visitor.site.mails(visitor.email):
        assert english(mail, language) == []
