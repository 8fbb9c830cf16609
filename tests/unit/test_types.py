"""`Any` in function signatures: rare, and each with its reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.import_graph import ROOT

MOST = 45  # functions of the whole product


def functions_with_any() -> Iterator[tuple[Path, ast.FunctionDef]]:
    for folder in ("onboarding", "vendors"):
        for path in sorted((ROOT / folder).glob("**/*.py")):
            if "migrations" not in path.parts:
                yield from ((path, found) for found in _of(ast.parse(path.read_text())))


def _of(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(map(_is_any, _annotations(node))):
            yield node


def _annotations(function: ast.FunctionDef) -> Iterator[ast.expr]:
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    yield from (each.annotation for each in every if each and each.annotation)
    if function.returns:
        yield function.returns


def _is_any(annotation: ast.expr) -> bool:
    names = (node.id for node in ast.walk(annotation) if isinstance(node, ast.Name))
    return "Any" in names


def reason(path: Path, function: ast.FunctionDef) -> str:
    """The comments in the lines above the function, in its signature, and in a class above it."""
    lines = path.read_text().splitlines()
    first = min([function.lineno, *(each.lineno for each in function.decorator_list)]) - 1
    above = first
    while above and lines[above - 1].lstrip().startswith("#"):
        above -= 1
    part = lines[above : function.body[0].lineno - 1]
    return " ".join(line.partition("#")[2] for line in part if "#" in line)


def test_few_functions_take_or_return_any() -> None:
    assert len(list(functions_with_any())) < MOST


def test_each_says_why() -> None:
    silent = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}"
        for path, function in functions_with_any()
        if "Any" not in reason(path, function)
    ]
    assert silent == []
