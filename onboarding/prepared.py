"""Statements whose SQL is built once in each process.

Django builds the SQL of a queryset again each time. For what a check reads, this takes three times as long
as PostgreSQL takes to answer. So the engine's statements keep what Django's compiler made of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import connection as database
from django.db import connections
from django.db.models import Expression, Model, QuerySet
from django.db.models.query import ModelIterable
from django.db.models.sql import UpdateQuery
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row", bound=Model)
Parameter = int | str | datetime


class PreparedQuery(Generic[Row]):
    """A queryset to run again and again with another value.

    It has one parameter, and an example of the right type in its place.
    """

    def __init__(self, queryset: QuerySet[Row]) -> None:
        self._queryset = queryset

    @cached_property
    def _compiled(self) -> _Compiled:
        return self._compile()

    def _compile(self) -> _Compiled:
        query = self._queryset.query.chain()  # a thread that compiles changes its own
        compiler = query.get_compiler(using=self._queryset.db)
        sql: str = compiler.as_sql()[0]
        columns = [column for column, *_ in compiler.select]
        return _Compiled(compiler, sql, compiler.get_converters(columns))

    def rows(self, value: int | str) -> list[Row]:
        """The rows for this value. Raises TransactionManagementError where a lock needs a transaction."""
        if self._queryset.query.select_for_update and not database.in_atomic_block:
            self._compile()  # raises where the database has locks
        return list(ModelIterable(_Filled(self._compiled, value)))  # type: ignore[arg-type]

    def get(self, value: int | str) -> Row:
        """The first of the rows. Raises the model's DoesNotExist."""
        for row in self.rows(value):
            return row
        raise self._queryset.model.DoesNotExist  # type: ignore[attr-defined]


class _Compiled(NamedTuple):
    """`converters`: what makes the values of the columns those of the fields, as Django's compiler has it."""

    compiler: SQLCompiler
    sql: str
    converters: dict[int, Any]


class _Filled:
    """What ModelIterable asks of a queryset and of its query."""

    _known_related_objects: dict[object, object] = {}

    def __init__(self, compiled: _Compiled, value: int | str) -> None:
        self.query, self.db = self, compiled.compiler.using
        self._compiled, self._value = compiled, value

    def get_compiler(self, using: str) -> SQLCompiler:
        compiled, filled = self._compiled, (self._compiled.sql, (self._value,))
        compiler = copy(compiled.compiler)
        compiler.connection = connections[using]  # each thread has its own
        compiler.as_sql = lambda *_, **__: filled  # type: ignore[method-assign]
        compiler.get_converters = lambda _: compiled.converters  # type: ignore[assignment]
        return compiler


class PreparedUpdate:
    """An UPDATE of these columns (names of fields), to run again and again with other values.

    `rows` has an example of the right type in the place of each of its parameters. Chain its filters: the
    parameters of one `filter` with several are in the order of their names.
    """

    def __init__(self, rows: QuerySet[Row], *columns: str) -> None:
        self._query, self._using = rows.query, rows.db
        fields = {field.name: field for field in rows.model._meta.concrete_fields}
        self.fields = [fields[name] for name in columns]

    @cached_property
    def _sql(self) -> str:
        query = self._query.chain(UpdateQuery)
        query.add_update_fields([(field, None, _Parameter()) for field in self.fields])  # type: ignore[attr-defined]
        sql: str = query.get_compiler(using=self._using).as_sql()[0]
        return sql

    def run(self, values: Sequence[object], *parameters: Parameter) -> int:
        """Give the columns these values, where the rows have these parameters; returns how many rows."""
        saved = [
            field.get_db_prep_save(value, database)
            for field, value in zip(self.fields, values, strict=True)
        ]
        with database.cursor() as cursor:
            cursor.execute(self._sql, [*saved, *(_as_parameter(each) for each in parameters)])
            count: int = cursor.rowcount
        return count


class _Parameter(Expression):
    """A value that is not known yet."""

    def as_sql(self, *_: object, **__: object) -> tuple[str, tuple[str]]:
        return "%s", ("",)


def _as_parameter(value: Parameter) -> Parameter | None:
    """SQLite has no type for a moment."""
    if isinstance(value, datetime):
        return database.ops.adapt_datetimefield_value(value)
    return value
