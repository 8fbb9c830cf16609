"""Every sentence that people read, by reader; `python -m tests.support.words [word …]` prints them.

A sentence stands in a template (`translate`, `blocktranslate`), in a call of gettext, or in a vendor's
`text(…)`; below it stand its translations. The operator's commands, checks and alerts and the pages of the
sandboxes are in English alone: there each literal of several words counts. With words as arguments only the
sentences with one of them, in any language, are printed.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from django.template.base import Lexer, Token, TokenType
from django.utils.text import smart_split
from django.utils.translation import trim_whitespace

ROOT = Path(__file__).resolve().parents[2]
MARKS = frozenset({"gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "_", "text"})
IN_CONTEXT = frozenset({"pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy"})
SANDBOX = "visitors of a sandbox"
# Who reads what stands in a file: the first pattern that fits decides.
READERS = (
    ("nobody", ("onboarding/migrations/*", "vendors/_template/*")),
    ("nobody", ("onboarding/conf/static_files.py",)),  # CSS
    (SANDBOX, ("vendors/*/sandbox/*", "vendors/sandbox/*")),
    ("visitors of the demo", ("templates/demo/*",)),
    ("the operator", ("onboarding/conf/*", "onboarding/doctor/*", "onboarding/management/*")),
    ("the operator", ("onboarding/notifications/s*_alerts.py", "vendors/reader.py")),
    ("staff", ("onboarding/admin/*", "templates/admin/*", "onboarding/people/staff_gate.py")),
    ("staff", ("onboarding/models/*", "onboarding/notifications/causes.py")),
    ("staff", ("vendors/*/staff.py", "vendors/*/*_actions.py")),
    ("staff", ("vendors/capillary/profile.py", "vendors/celigo/licence_plan.py")),
    ("readers of mails", ("templates/*/email/*", "onboarding/notifications/*")),
    ("merchants, in vendors’ texts", ("vendors/*",)),
    ("merchants, on account pages", ("templates/account/*", "templates/mfa/*")),
    ("merchants, on account pages", ("templates/allauth/*", "onboarding/people/*")),
    ("merchants, in forms", ("*/forms.py", "onboarding/fields.py", "onboarding/questions.py")),
    ("merchants, on pages", ("templates/*", "onboarding/*")),
)
ENGLISH_ALONE = frozenset({"the operator", SANDBOX})
PROSE = re.compile(r"[a-z]{2},? [“a-z]")


@dataclass(frozen=True)
class Sentence:
    path: str  # below the root of the repository
    line: int
    words: str

    @property
    def reader(self) -> str:
        return next(
            reader
            for reader, patterns in READERS
            if any(fnmatch(self.path, pattern) for pattern in patterns)
        )

    @property
    def plain(self) -> str:
        """As gettext has it once a percent sign is not written twice."""
        return self.words.replace("%%", "%")

    @property
    def is_merchants(self) -> bool:
        return self.reader.startswith(("merchants", "readers of mails"))

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.words}"


def sentences() -> list[Sentence]:
    """All of them, in the order of READERS and of the files."""
    found = [
        Sentence(path.relative_to(ROOT).as_posix(), line, words)
        for folder in ("templates", "onboarding", "vendors")
        for path in sorted((ROOT / folder).rglob("*.*"))
        if path.suffix in SOURCES
        for line, words in SOURCES[path.suffix](path)
    ]
    order = list(dict.fromkeys(reader for reader, _ in READERS))
    read = [each for each in found if each.reader != "nobody" and each.words]
    return sorted(read, key=lambda each: order.index(each.reader))


# -- Python ----------------------------------------------------------------------------------------


def in_python(path: Path) -> Iterator[tuple[int, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    where = Sentence(path.relative_to(ROOT).as_posix(), 0, "")
    marked = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found = {each for call in marked for each in _marked(call)}
    if where.reader in ENGLISH_ALONE:
        found |= set(_literals(tree))
    yield from sorted(found)


def _marked(call: ast.Call) -> Iterator[tuple[int, str]]:
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    first = 1 if name in IN_CONTEXT else 0
    if name in MARKS | IN_CONTEXT:
        for argument in call.args[first : first + 2]:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.lineno, argument.value


def _literals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Literals of several words, without docstrings; `{…}` stands for what an f-string puts in."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            skipped.add(node.value)
        if isinstance(node, ast.JoinedStr):
            skipped.update(node.values)
    for node in ast.walk(tree):
        if node not in skipped and PROSE.search(words := _literal(node)):
            yield node.lineno, trim_whitespace(words)  # type: ignore[attr-defined]  # it has words


def _literal(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        parts = (
            _literal(part) if isinstance(part, ast.Constant) else "{…}" for part in node.values
        )
        return "".join(parts)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


# -- templates -------------------------------------------------------------------------------------


def in_template(path: Path) -> Iterator[tuple[int, str]]:
    tokens = iter(Lexer(path.read_text(encoding="utf-8")).tokenize())
    for token in tokens:
        name = token.contents.partition(" ")[0]
        if token.token_type == TokenType.BLOCK and name in ("blocktranslate", "blocktrans"):
            yield from _block(tokens, token)
        elif token.token_type in (TokenType.BLOCK, TokenType.VAR):
            yield from _quoted(token, name)


def _block(tokens: Iterator[Token], opening: Token) -> Iterator[tuple[int, str]]:
    """The sentence of a `blocktranslate`, and after `plural` the one for several."""
    said = [""]
    for token in tokens:
        if token.token_type == TokenType.BLOCK:
            if token.contents.startswith("endblocktrans"):
                break
            said.append("")
        elif token.token_type == TokenType.VAR:
            said[-1] += f"%({token.contents})s"
        else:
            said[-1] += token.contents
    yield from ((opening.lineno or 0, trim_whitespace(words.strip("\n"))) for words in said)


def _quoted(token: Token, name: str) -> Iterator[tuple[int, str]]:
    """What `translate "…"` says, and each `_("…")` in a tag or a variable."""
    parts = list(smart_split(token.contents))
    if name in ("translate", "trans") and parts[1][0] in "\"'":
        yield token.lineno or 0, parts[1][1:-1]
    for _, words in re.findall(r"""\b_\((["'])(.*?)\1\)""", token.contents):
        yield token.lineno or 0, words


SOURCES = {".py": in_python, ".html": in_template, ".txt": in_template}


def main(wanted: list[str]) -> None:
    """Each sentence with its place, and below it what it is in every other language, if it is there."""
    from tests.support import translations  # which reads the sentences from here

    said = {code: translations.by_sentence(code) for code in translations.CODES}
    reader = ""
    for each in sentences():
        block = [str(each)]
        if each.reader not in ENGLISH_ALONE:
            block += [f"    {code}  {known.get(each.plain, '–')}" for code, known in said.items()]
        if wanted and not any(word.lower() in "\n".join(block).lower() for word in wanted):
            continue
        if each.reader != reader:
            reader = each.reader
            sys.stdout.write(f"\n# Read by {reader}\n\n")
        sys.stdout.write("\n".join([*block, ""]))


if __name__ == "__main__":
    main(sys.argv[1:])
