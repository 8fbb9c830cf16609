"""The catalogues of messages in onboarding/locale; `python -m tests.support.messages` brings them up to date.

It needs GNU gettext. Both files of a catalogue are committed, so that a site runs without it: `django.po`
with the translations, and `django.mo`, which is made from it and read by the site.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import django
from django.core.management import call_command
from django.core.management.commands import makemessages
from django.test.utils import override_settings

from onboarding import languages
from tests.support.words import ENGLISH_ALONE, READERS, ROOT

LOCALE = ROOT / "onboarding" / "locale"
TRANSLATED = tuple(code for code in languages.NAMES if code != languages.SOURCE)
TOOLS = ("xgettext", "msgmerge", "msguniq", "msgattrib", "msgfmt")
PLURALS = {
    "de": "nplurals=2; plural=(n != 1);",
    "sv": "nplurals=2; plural=(n != 1);",
    "nl": "nplurals=2; plural=(n != 1);",
    "fr": "nplurals=2; plural=(n > 1);",
    "es": "nplurals=2; plural=(n != 1);",
}
MADE_AT = re.compile(r'^"(POT-Creation-Date|Report-Msgid-Bugs-To):.*"\n', re.MULTILINE)
# Read by nobody who needs a translation.
LEFT_OUT = [
    pattern
    for reader, patterns in READERS
    if reader == "nobody" or reader in ENGLISH_ALONE
    for pattern in patterns
] + ["tests/*", "data/*", "screenshots/*"]
FOUND_BY_SETTING = "onboarding/locale"  # Django would write there, wherever it is told to


class Command(makemessages.Command):
    """Django's, which knows vendors' `text(…)` as well and never guesses a translation."""

    xgettext_options = [*makemessages.Command.xgettext_options, "--keyword=text", "--sort-by-file"]
    msguniq_options = [*makemessages.Command.msguniq_options, "--sort-by-file"]
    msgmerge_options = ["-q", "--backup=none", "--update", "--no-fuzzy-matching", "--sort-by-file"]


def po(code: str, locale: Path = LOCALE) -> Path:
    return locale / code / "LC_MESSAGES" / "django.po"


def mo(code: str, locale: Path = LOCALE) -> Path:
    return po(code, locale).with_suffix(".mo")


def missing_tools() -> list[str]:
    return [tool for tool in TOOLS if not shutil.which(tool)]


def extract(locale: Path = LOCALE) -> None:
    """Write each message of the sources into the catalogues, and take out what is gone."""
    for code in TRANSLATED:
        if not po(code, locale).exists():
            po(code, locale).parent.mkdir(parents=True, exist_ok=True)
            po(code, locale).write_text(header(code), encoding="utf-8")
    with override_settings(LOCALE_PATHS=[str(locale)]):
        call_command(
            Command(),
            locale=list(TRANSLATED),
            ignore_patterns=[*LEFT_OUT, FOUND_BY_SETTING],
            no_wrap=True,
            no_obsolete=True,
            add_location="file",
            verbosity=0,
        )
    for code in TRANSLATED:
        tidy(po(code, locale))


def header(code: str) -> str:
    lines = (
        "Project-Id-Version: Gangway\\n",
        f"Language: {code}\\n",
        "MIME-Version: 1.0\\n",
        "Content-Type: text/plain; charset=UTF-8\\n",
        "Content-Transfer-Encoding: 8bit\\n",
        f"Plural-Forms: {PLURALS[code]}\\n",
    )
    return 'msgid ""\nmsgstr ""\n' + "".join(f'"{line}"\n' for line in lines)


def tidy(path: Path) -> None:
    """Without the times of making, which differ at each run and say nothing."""
    kept = MADE_AT.sub("", path.read_text(encoding="utf-8"))
    path.write_text(kept, encoding="utf-8")


def compile_catalogue(source: Path, target: Path) -> None:
    """What is fuzzy or untranslated is left out."""
    subprocess.run(
        ["msgfmt", "--check-format", "--output-file", str(target), str(source)], check=True
    )


def main() -> None:
    if missing := missing_tools():
        sys.exit(f"GNU gettext is missing ({', '.join(missing)}). On Debian: apt install gettext")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    os.chdir(ROOT)
    extract()
    for code in TRANSLATED:
        compile_catalogue(po(code), mo(code))


if __name__ == "__main__":
    main()
