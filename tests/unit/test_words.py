"""The sentences that people read: the list of them is complete, and they keep the rules of how we speak."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import translations, words
from tests.support.words import ROOT, SANDBOX, Sentence

SENTENCES = words.sentences()
TAG = re.compile(r"<[^>]*>")
PUT_IN = re.compile(r"%\(\w+\)[sd]")
OURS = "attempt|hop|tenant|door|space|instance|token|memo|probe|desk"
RULES = {
    "“email”, not “e-mail”": r"e-mail",
    "typographic quotes and apostrophes": r"[\"']",
    "no double blanks": r"\S  +\S",
}
RULES_FOR_MERCHANTS = {
    "no riddles": r"\b(anew|meanwhile|at hand|all the same|neither|let (it|this) rest)\b",
    "none of our own words": rf"\b({OURS})s?\b",
}
# A part of each sentence that breaks a rule on purpose, and why it may.
MAY = {
    "secrets.token_urlsafe": "a command to copy",
    "Fernet.generate_key": "a command to copy",
    "must be a JSON object, like": "JSON",
    "This is no JSON object, like": "JSON",
    "Under the names of the API, like": "JSON",
    '{"ok": …': "JSON",
    "Spaces count.": "the character that a password may have",
    "for a tenant with": "for staff, who find Sharespine’s own word there",
    "Look in the tenant": "for staff, who find Sharespine’s own word there",
}
# A literal that stands in two lines.
SEVERAL_LINES = "%(vendor)s is not letting us sign in. Our staff know and are working on it."


def broken(pattern: str, bound: list[Sentence]) -> str:
    """The sentences that break a rule, with their places."""
    return "\n".join(
        str(each)
        for each in bound
        if re.search(pattern, PUT_IN.sub("…", TAG.sub("", each.words)), re.IGNORECASE)
        and not any(part in each.words for part in MAY)
    )


@pytest.mark.parametrize("rule", RULES)
def test_every_sentence_keeps_the_rule(rule: str) -> None:
    ours = [each for each in SENTENCES if each.reader != SANDBOX]  # a vendor’s words are its own
    assert not (found := broken(RULES[rule], ours)), f"{rule}:\n{found}"


@pytest.mark.parametrize("rule", RULES_FOR_MERCHANTS)
def test_what_merchants_read_keeps_the_rule(rule: str) -> None:
    theirs = [each for each in SENTENCES if each.is_merchants]
    assert not (found := broken(RULES_FOR_MERCHANTS[rule], theirs)), f"{rule}:\n{found}"


def test_every_exception_is_still_needed() -> None:
    said = [each.words for each in SENTENCES]
    assert not [part for part in MAY if not any(part in each for each in said)]


def test_a_template_shows_each_form_of_its_sentences(tmp_path: Path) -> None:
    template = tmp_path / "page.html"
    template.write_text(
        """{% translate "Shops" as title %}{{ title|default:_("None") }}
        {% blocktranslate trimmed count n=shops %}
          One shop of {{ name }}
        {% plural %}
          {{ n }} shops{% endblocktranslate %}"""
    )
    expected = [(1, "Shops"), (1, "None"), (2, "One shop of %(name)s"), (2, "%(n)s shops")]
    assert list(words.in_template(template)) == expected


def test_a_module_shows_what_it_marks_and_the_operator_s_literals() -> None:
    places = {(each.path, each.words) for each in SENTENCES}
    assert ("vendors/itembase/returns.py", "Your link has expired") in places
    assert ("onboarding/journey/sentences.py", SEVERAL_LINES) in places
    assert ("onboarding/doctor/services.py", "No vendor is offered to merchants.") in places
    assert not [path for path, _ in places if path.startswith("onboarding/migrations/")]


def test_every_template_that_says_something_is_read() -> None:
    """A page whose sentences are not marked for translation is not on the list, and in one language alone."""
    listed = {each.path for each in SENTENCES}
    plain = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "templates").rglob("*.html"))
        if words.PROSE.search(
            re.sub(
                r"{% comment.*?endcomment %}|<style>.*?</style>|{[%{#].*?[%}#]}|<[^>]*>",
                "\0",
                path.read_text(),
                flags=re.S,
            )
        )
    ]
    assert set(plain) <= listed


def test_each_sentence_is_printed_with_its_translations(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {"de": (translations.Pair("Skip to main content", "Zum Inhalt"),)}
    monkeypatch.setattr(translations, "pairs", lambda code: known.get(code, ()))
    words.main(["zum inhalt"])
    [place, *said] = capsys.readouterr().out.strip().splitlines()[2:]
    assert place.endswith(": Skip to main content")
    assert said == ["    de  Zum Inhalt", *(f"    {code}  –" for code in ("sv", "nl", "fr", "es"))]
