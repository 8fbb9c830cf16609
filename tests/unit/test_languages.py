"""The catalogues of the languages that are offered: complete, up to date, and fit for what they translate."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

import pytest
from django.template.base import Lexer, TokenType

from onboarding import languages
from tests.support import messages, translations, words
from tests.support.words import ROOT

TRANSLATED = [code for code in languages.OFFERED if code != languages.SOURCE]
WORD = re.compile(r"[^\W\d_]{2,}")


# -- the catalogues ------------------------------------------------------------------------------


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_sentence_is_translated(code: str) -> None:
    assert translations.untranslated(code) == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_translation_can_take_the_place_of_its_sentence(code: str) -> None:
    assert translations.wrong(code) == []


@pytest.mark.parametrize(
    ("message", "said", "fault"),
    [
        ("Hello %(name)s.", "Hallo %(name)s.", ""),
        ("Hello %(name)s.", "Hallo.", "other placeholders"),
        ("Hello.", "Hallo {name}.", "other placeholders"),
        ("%s of %s", "%s von %d", "other placeholders"),
        ("<b>Two</b> shops", "Zwei <b>Shops</b>", ""),
        ("<b>Two</b> shops", "Zwei Shops", "other tags"),
        ("Sign in:\n", "Anmelden:", "begins or ends otherwise"),
        ("Sign in:", "Anmelden.", "begins or ends otherwise"),
        ("It’s “you”", "C’est « vous »", ""),
        ("It’s “you”", 'C\'est "vous"', "straight quotes"),
    ],
)
def test_a_translation_that_does_not_fit_is_found(message: str, said: str, fault: str) -> None:
    found = translations.faults(translations.Pair(message, said))
    assert list(found) == ([fault] if fault else [])


@pytest.mark.parametrize(
    ("said", "found"),
    [("un code", []), ("%(n)s code", []), ("%(m)s code", ["other placeholders"])],
)
def test_the_form_for_one_may_name_the_number(said: str, found: list[str]) -> None:
    pair = translations.Pair("one code", said, "%(n)s codes")
    assert list(translations.faults(pair)) == found


# What Intl.RelativeTimeFormat writes: a page that stays open counts on in these words.
AGO = {
    "de": ("vor %(n)s Minute", "vor %(n)s Minuten"),
    "sv": ("för %(n)s minut sedan", "för %(n)s minuter sedan"),
    "nl": ("%(n)s minuut geleden", "%(n)s minuten geleden"),
    "fr": ("il y a %(n)s minute", "il y a %(n)s minutes"),
    "es": ("hace %(n)s minuto", "hace %(n)s minutos"),
}


@pytest.mark.parametrize("code", TRANSLATED)
def test_minutes_are_counted_in_the_words_of_browsers(code: str) -> None:
    said = translations.by_sentence(code)
    assert (said["%(n)s minute ago"], said["%(n)s minutes ago"]) == AGO[code]


def test_what_no_catalogue_has_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    known = (translations.Pair("Shops", "Läden"),)
    monkeypatch.setattr(translations, "pairs", lambda code: known)
    missing = translations.untranslated("de")
    assert "Sign in" in missing
    assert "Shops" not in missing


@pytest.mark.parametrize("code", messages.TRANSLATED)
def test_each_catalogue_counts_as_its_language_does(code: str) -> None:
    header = translations.read(messages.mo(code))[""]
    assert f"Language: {code}\n" in header
    assert f"Plural-Forms: {messages.PLURALS[code]}\n" in header


@pytest.mark.process
@pytest.mark.usefixtures("xgettext")
def test_the_catalogues_have_what_code_and_templates_say(tmp_path: Path) -> None:
    shutil.copytree(messages.LOCALE, tmp_path / "locale")
    messages.extract(tmp_path / "locale")
    changed = [
        code
        for code in messages.TRANSLATED
        if messages.po(code, tmp_path / "locale").read_bytes() != messages.po(code).read_bytes()
    ]
    assert not changed, f"{changed}: run make messages, and translate what is new"


@pytest.mark.process
@pytest.mark.usefixtures("xgettext")
@pytest.mark.parametrize("code", messages.TRANSLATED)
def test_what_a_site_reads_is_made_from_the_catalogue(code: str, tmp_path: Path) -> None:
    messages.compile_catalogue(messages.po(code), tmp_path / "django.mo")
    made, read = tmp_path / "django.mo", translations.read
    assert read(made) == read(messages.mo(code)), "run make messages"


def test_every_language_has_a_name_and_a_catalogue() -> None:
    assert languages.OFFERED[0] == languages.SOURCE
    assert set(languages.OFFERED) <= set(languages.NAMES)
    assert {path.name for path in messages.LOCALE.iterdir()} == set(messages.TRANSLATED)


# -- the sources ---------------------------------------------------------------------------------


def test_every_message_stands_whole_where_it_is_marked() -> None:
    """xgettext reads literals alone, and none inside an f-string."""
    assert [place for path in modules() for place in unreadable(path)] == []


# A stored message, which was marked where it was made.
STORED = {
    "onboarding/models/catalogue.py: gettext(self.description)",
    "onboarding/models/catalogue.py: gettext(self.vendor_name)",
    "onboarding/models/status.py: gettext(note['id'])",
    "onboarding/views/shop/reveal.py: gettext(label)",
}
FORMS = {"ngettext": 2, "ngettext_lazy": 2, "pgettext": 2, "pgettext_lazy": 2, "npgettext": 3}


def modules() -> list[Path]:
    found = [path for room in ("onboarding", "vendors") for path in (ROOT / room).rglob("*.py")]
    return sorted(path for path in found if "sandbox" not in path.parts)


def unreadable(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
    }
    found = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = getattr(call.func, "id", "")
        if name in words.MARKS | words.IN_CONTEXT:
            said = call.args[: FORMS.get(name, 1)]
            place = f"{path.relative_to(ROOT).as_posix()}: {ast.unparse(call)}"
            if (id(call) in inside or not all(map(is_literal, said))) and place not in STORED:
                found.append(place)
    return found


def is_literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("gettext('A shop')", 0),
        ("gettext(words)", 1),
        ("ngettext(one, many, n)", 1),
        ("f'{gettext(\"A shop\")}'", 1),
    ],
)
def test_what_xgettext_cannot_read_is_found(
    source: str, found: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.unit.test_languages.ROOT", tmp_path)
    (tmp_path / "module.py").write_text(source)
    assert len(unreadable(tmp_path / "module.py")) == found


def test_templates_say_nothing_outside_marks() -> None:
    said = {
        f"{path.relative_to(ROOT).as_posix()}: {run}"
        for path in sorted((ROOT / "templates").rglob("*.*"))
        for run in bare_words(path.read_text(encoding="utf-8"), html=path.suffix == ".html")
    }
    assert said == {"templates/onboarding/email/new_owner_message.txt: shops/"}  # of an address


NO_WORDS = re.compile(r"<(style|script)\b.*?</\1>|<!--.*?-->|<!DOCTYPE[^>]*>|&\w+;", re.S)
ATTRIBUTE = re.compile(r'\b(?:alt|title|placeholder|aria-label)="([^"]*)"')
CLASSES = re.compile(r"page--\w+")  # of the block `page_class`
OPENINGS, CLOSINGS = {"blocktranslate", "comment"}, {"endblocktranslate", "endcomment"}
BETWEEN = "\0"


def bare_words(source: str, *, html: bool) -> list[str]:
    """The words of a template that are neither in a tag nor a translated block."""
    kept, inside = [], False
    for token in Lexer(NO_WORDS.sub("", source)).tokenize():
        name = token.contents.partition(" ")[0]
        if token.token_type == TokenType.BLOCK:
            inside = (inside or name in OPENINGS) and name not in CLOSINGS
        is_text = token.token_type == TokenType.TEXT and not inside
        kept.append(token.contents if is_text else BETWEEN)
    text = "".join(kept)
    attributes = ATTRIBUTE.findall(text) if html else []
    text = re.sub(r"<[^>]*>", BETWEEN, text) if html else text
    runs = [run for each in [*attributes, text] for run in re.split(f"[{BETWEEN}\n]", each)]
    return [run.strip() for run in runs if WORD.search(CLASSES.sub("", run))]


def test_bare_words_are_found() -> None:
    source = """<p title="Bare one">{% translate "Marked" %} Bare two</p>
    {% blocktranslate %}Marked <b>too</b>{% endblocktranslate %}<script>no words</script>"""
    assert bare_words(source, html=True) == ["Bare one", "Bare two"]
