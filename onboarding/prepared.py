"""Queries whose SQL is built once in each process.

Django builds the SQL of a queryset again each time. For what a check reads, this takes three times as long
as PostgreSQL takes to answer. So the reads of the engine keep what Django's compiler made of them.
"""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import Generic, TypeVar

from django.db import connection as database
from django.db import connections
from django.db.models import Model, QuerySet
from django.db.models.query import ModelIterable
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row", bound=Model)


class PreparedQuery(Generic[Row]):
    """A queryset to run again and again with another value.

    It has one parameter, and an example of the right type in its place.
    """

    def __init__(self, queryset: QuerySet[Row]) -> None:
        self._queryset = queryset

    @cached_property
    def _compiled(self) -> tuple[SQLCompiler, str]:
        return self._compile()

    def _compile(self) -> tuple[SQLCompiler, str]:
        compiler = self._queryset.query.get_compiler(using=self._queryset.db)
        return compiler, compiler.as_sql()[0]

    def rows(self, value: int | str) -> list[Row]:
        """The rows for this value. Raises TransactionManagementError where a lock needs a transaction."""
        if self._queryset.query.select_for_update and not database.in_atomic_block:
            self._compile()  # raises where the database has locks
        return list(ModelIterable(_Filled(*self._compiled, value)))  # type: ignore[arg-type]

    def get(self, value: int | str) -> Row:
        """The first of the rows. Raises the model's DoesNotExist."""
        for row in self.rows(value):
            return row
        raise self._queryset.model.DoesNotExist  # type: ignore[attr-defined]


class _Filled:
    """What ModelIterable asks of a queryset and of its query."""

    _known_related_objects: dict[object, object] = {}

    def __init__(self, compiler: SQLCompiler, sql: str, value: int | str) -> None:
        self.query, self.db = self, compiler.using
        self._compiler, self._filled = compiler, (sql, (value,))

    def get_compiler(self, using: str) -> SQLCompiler:
        compiler = copy(self._compiler)
        compiler.connection = connections[using]  # each thread has its own
        compiler.as_sql = lambda *_, **__: self._filled  # type: ignore[method-assign]
        return compiler
