"""`vendors/contract/characters.py`: which characters a text may contain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendors.contract.characters import is_plain, is_visible, name_key, one_line, trimmed

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize("text", ["a\x00b", "a\nb", "a\x7fb", "a\x9fb", "a\u2028b", "a\ud800b"])
def test_a_text_with_a_control_character_is_not_plain(text: str) -> None:
    assert not is_plain(text)


@pytest.mark.parametrize("text", ["", "Käthe’s Läden", "商店", "می‌خواهم", "👩‍🔧", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"])
def test_a_text_of_any_language_is_plain(text: str) -> None:
    assert is_plain(text)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  Acme \t GmbH ", "Acme GmbH"),
        ("Acme\r\n\r\nYour account is locked", "Acme Your account is locked"),
        ("a\x00b\x1bc", "a b c"),
        ("a\u202eb\u200bc\u00add\ufeff", "abcd"),
        ("a\u00a0b\u3000c\u2028d", "a b c d"),
        ("e\u0301", "é"),
        ("می‌خواهم", "می‌خواهم"),
        ("👩‍🔧", "👩‍🔧"),
        ("\u200d Acme\u200c \u200d", "Acme"),
        ("a\ud800b", "ab"),
    ],
)
def test_a_text_becomes_one_clean_line(text: str, cleaned: str) -> None:
    assert one_line(text) == cleaned


@pytest.mark.parametrize(
    "text", ["", " ", "\u200b", "\u3164", "\u2800", "\ufe0f", "\u0301", "\u00ad"]
)
def test_a_text_without_a_glyph_is_not_visible(text: str) -> None:
    assert not is_visible(text)


@pytest.mark.parametrize("text", ["a", "7", "!", "€", "商", "👩‍🔧"])
def test_a_text_with_a_glyph_is_visible(text: str) -> None:
    assert is_visible(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Магазин", "МАГАЗИН"),
        ("ARZT", "Arzt"),
        ("Straße", "STRASSE"),
        ("Acme  GmbH", " acme gmbh"),
        ("Ａｃｍｅ", "acme"),
        ("Ac\u200bme", "acme"),
        ("Ac\u200dme", "acme"),
        ("eBay\ufe0f", "ebay"),
    ],
)
def test_names_that_look_alike_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


def test_different_names_have_different_keys() -> None:
    assert len({name_key(name) for name in ("eBay", "eBay 2", "e Bay", "ebäy")}) == 4


@given(ANY_TEXT)
def test_a_cleaned_text_is_plain_and_stays_as_it_is(text: str) -> None:
    cleaned = one_line(text)
    assert is_plain(cleaned)
    cleaned.encode()  # raises for a surrogate
    assert one_line(cleaned) == cleaned


@given(ANY_TEXT)
def test_a_key_is_a_key_of_itself(text: str) -> None:
    assert name_key(name_key(text)) == name_key(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" \u00a0\ufeffkai\u200b\r\n", "kai"),
        ("k\u200ba i", "k\u200ba i"),
        ("\u3164\u2060", ""),
        ("kai\u0000", "kai\u0000"),
    ],
)
def test_only_what_is_unseen_around_a_text_is_cut_off(text: str, kept: str) -> None:
    assert trimmed(text) == kept
