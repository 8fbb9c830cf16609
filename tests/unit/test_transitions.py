"""State changes: only journey/transitions.py writes attempts and connections."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.import_graph import ROOT

SITE = ROOT / "onboarding"
DOOR = SITE / "journey" / "transitions.py"
MODELS = {"Attempt", "Connection"}
RELATED = {"attempts", "connections"}  # what the models call each other's rows
# `save(update_fields=…)` of other models.
OTHERS = {"account", "connector", "user"}


def writes(path: Path) -> Iterator[str]:
    """Every place of a module that saves columns of, or updates, attempts or connections."""
    tree = ast.parse(path.read_text())
    for function in functions(tree):
        rows = rows_of(function)
        for call in calls(function):
            if writes_rows(call, rows):
                yield f"{path.relative_to(ROOT)}:{call.lineno}"
    for call in calls(tree):
        if is_prepared(call):
            yield f"{path.relative_to(ROOT)}:{call.lineno}"


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def is_prepared(call: ast.Call) -> bool:
    """`PreparedUpdate(rows, …)`, which may be of any model."""
    return any(
        isinstance(node, ast.Name) and node.id == "PreparedUpdate" for node in ast.walk(call.func)
    )


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def rows_of(function: ast.FunctionDef) -> set[str]:
    """Local names that stand for a query of attempts or connections, or for one made from it."""
    found: set[str] = set()
    for _ in range(3):  # names made from names
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and is_query(node.value, found):
                found |= {name.id for name in node.targets if isinstance(name, ast.Name)}
    return found


def is_query(node: ast.expr, rows: set[str]) -> bool:
    """`Attempt.objects.filter(…)`, `connection.attempts.all()`, `type(row)._default_manager` …"""
    while isinstance(node, ast.Call | ast.Attribute):
        if isinstance(node, ast.Attribute):
            named = isinstance(node.value, ast.Name) and node.value.id in MODELS
            if node.attr in RELATED or (node.attr == "objects" and named):
                return True
            if node.attr == "_default_manager":
                return True
            node = node.value
        else:
            node = node.func
    return isinstance(node, ast.Name) and node.id in rows


def writes_rows(call: ast.Call, rows: set[str]) -> bool:
    method = call.func
    if not isinstance(method, ast.Attribute):
        return False
    if method.attr in {"update", "bulk_update"}:
        return is_query(method.value, rows)
    fields = any(keyword.arg == "update_fields" for keyword in call.keywords)
    owner = method.value.id if isinstance(method.value, ast.Name) else ""
    return method.attr == "save" and fields and owner not in OTHERS


def modules() -> list[Path]:
    return [
        path
        for path in sorted(SITE.glob("**/*.py"))
        if path != DOOR and "migrations" not in path.parts
    ]


def test_nothing_else_changes_an_attempt_or_a_connection() -> None:
    found = [place for path in modules() for place in writes(path)]
    # The outbox, mails sent again, leases, rekey and erasure update rows of any model, and no state.
    # Factors are allauth's rows.
    allowed = (
        "onboarding/people/factor",
        "onboarding/rights/replacing.py",
        "onboarding/notifications/sent_again.py",
        "onboarding/notifications/outbox.py",
        "onboarding/models/memo.py",
        "onboarding/journey/claims.py",
        "onboarding/journey/leases.py",
    )
    assert [place for place in found if not place.startswith(allowed)] == []


def ends_attempts(path: Path) -> Iterator[str]:
    """Every place of a module that sets `ended` or `ending` of a row."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Assign):
            parts = [part for target in node.targets for part in ast.walk(target)]
            names = {part.attr for part in parts if isinstance(part, ast.Attribute)}
            if names & {"ended", "ending"}:
                yield f"{path.relative_to(ROOT)}:{node.lineno}"


def test_an_attempt_ends_through_one_function() -> None:
    """It asks for the reason, so none ends without the sentence of its page."""
    assert [place for path in modules() for place in ends_attempts(path)] == []
    assert len(list(ends_attempts(DOOR))) == 1


def test_the_check_detects_writes_in_transitions_itself() -> None:
    """Otherwise the test above would detect nothing."""
    assert len(list(writes(DOOR))) >= 2


def test_writes_elsewhere_would_be_seen() -> None:
    code = """
def plain(attempt):
    attempt.save(update_fields=["ended"])
def related(connection):
    connection.attempts.filter(ended=None).update(due_at=None)
def by_a_name():
    rows = Connection.objects.filter(pk=1)
    late = rows.exclude(due_at=None)
    late.update(due_at=None)
"""
    for function in functions(ast.parse(code)):
        rows = rows_of(function)
        assert any(writes_rows(call, rows) for call in calls(function)), function.name
    prepared = "UPDATE = PreparedUpdate(Attempt.objects.filter(pk=0), 'ended')"
    assert any(map(is_prepared, calls(ast.parse(prepared))))
