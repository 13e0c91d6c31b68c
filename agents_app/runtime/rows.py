"""Many rows in few statements: what makes a group commit cheap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar
from uuid import UUID

from django.db import connections, models
from django.db.models import Model
from django.db.models.base import ModelState
from django.utils import timezone

from agents_app import fast_json

M = TypeVar("M", bound=Model)

ROWS_TOGETHER = (64, 16, 4, 3, 2, 1)  # in one statement: few sizes, so that each is prepared once
FITTING = [next((size for size in ROWS_TOGETHER if size <= rows), 0) for rows in range(ROWS_TOGETHER[0] + 1)]
AS_THEY_ARE = (models.CharField, models.TextField, models.BooleanField, models.IntegerField)


def new_row(model: type[M], **values: Any) -> M:
    """What the model's constructor does, at a fifth of its cost: for rows of which every call makes a handful.

    `values` are right as they are: columns by their attribute name, relations by an object or by their `_id`.
    """
    plain, made, relations = _defaults(model, tuple(values))
    row = model.__new__(model)
    state = row._state = ModelState()
    fields = row.__dict__
    fields.update(plain)
    for name, make in made:
        fields[name] = make()
    fields.update(values)
    for name, column in relations:
        value = state.fields_cache[name] = fields.pop(name)
        fields[column] = value.pk if value is not None else None
    return row


def twin(row: M) -> M:
    """A copy that changes by itself."""
    other = type(row).__new__(type(row))
    other.__dict__.update(row.__dict__)
    state = other._state = ModelState()
    state.fields_cache.update(row._state.fields_cache)
    return other


@lru_cache(maxsize=256)
def _defaults(
    model: type[Model], given: tuple[str, ...]
) -> tuple[dict[str, Any], list[tuple[str, Callable[[], Any]]], list[tuple[str, str]]]:
    """Of a row for which these values are given: those that it begins with, those that are made anew each time, and the
    relations among the given with their columns."""
    plain: dict[str, Any] = {}
    made: list[tuple[str, Callable[[], Any]]] = []
    for field in model._meta.concrete_fields:
        if not callable(field.default) or field.default is models.NOT_PROVIDED:
            plain[field.attname] = field.get_default()
        elif field.attname not in given:
            made.append((field.attname, field.default))
    fields = model._meta.concrete_fields
    return plain, made, [(field.name, field.attname) for field in fields if field.is_relation and field.name in given]


@contextmanager
def pipelined() -> Iterator[None]:
    """Statements inside do not wait for the answer of the one before, where the database can do that."""
    connection = connections["default"]
    if connection.vendor == "postgresql" and connection.connection is not None:
        with connection.wrap_database_errors, connection.connection.pipeline():
            yield
    else:
        yield


def insert(rows: Iterable[Model]) -> None:
    """Insert rows of several models, one statement a model. Foreign keys are checked at the commit, so any order goes.

    Does what `bulk_create` does at a quarter of its cost, inside a transaction; rows must have their primary keys.
    """
    by_model: dict[type[Model], list[Model]] = {}
    for row in rows:
        model = type(row)
        if model in by_model:
            by_model[model].append(row)
        else:
            by_model[model] = [row]
    if not by_model:
        return
    connection = connections["default"]
    with connection.wrap_database_errors:
        for model, models_ in by_model.items():
            names = _stored(model)
            values = _values(model, names, models_, connection.vendor, adding=True)
            if connection.vendor == "sqlite":
                _insert_together(connection.connection, model, names, values)
            else:
                _execute(connection, _insertion_from_json(model, names), _as_json(model, names, values))
            for row in models_:
                state = row._state
                state.adding, state.db = False, connection.alias


def update(changes: Sequence[tuple[Model, tuple[str, ...]]]) -> None:
    """Save the named fields of each row in few statements, inside a transaction. What is said last of a row stays."""
    if not changes:
        return
    connection = connections["default"]
    with connection.wrap_database_errors:
        for (model, names), rows in _in_order(changes):
            pk: Any = model._meta.pk
            values = _values(model, (*names, pk.name), list(rows.values()), connection.vendor)
            if connection.vendor == "sqlite":
                connection.connection.executemany(_statement(model, names), values)
            else:
                _execute(connection, _statement_from_json(model, names), _as_json(model, (*names, pk.name), values))


_Shape = tuple[type[Model], tuple[str, ...]]
_Values = Sequence[Any]  # of one row


def _in_order(changes: Sequence[tuple[Model, tuple[str, ...]]]) -> Iterator[tuple[_Shape, dict[Any, Model]]]:
    """One statement for each model and set of fields; a row that comes with other fields again waits for a later one."""
    rounds: list[dict[_Shape, dict[Any, Model]]] = [{}]
    placed: dict[tuple[type[Model], Any], tuple[int, tuple[str, ...]]] = {}
    for row, names in changes:
        model = type(row)
        number, before = placed.get((model, row.pk), (0, names))
        if before != names:
            number += 1
        placed[model, row.pk] = number, names
        if number == len(rounds):
            rounds.append({})
        rounds[number].setdefault((model, names), {})[row.pk] = row
    return (statement for each in rounds for statement in each.items())


# On SQLite past Django's cursor, which reads every statement anew to put its own placeholders into it.


def _insert_together(database: Any, model: type[Model], names: tuple[str, ...], values: Sequence[_Values]) -> None:
    """A statement for each row would write the search index, and let other threads run, row by row."""
    begin = 0
    while left := len(values) - begin:
        size = FITTING[min(left, ROWS_TOGETHER[0])]
        flat = values[begin] if size == 1 else list(chain.from_iterable(values[begin : begin + size]))
        database.execute(_insertion(model, names, size), flat)
        begin += size


def _execute(connection: Any, statement: str, rows: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [rows])


# PostgreSQL takes all rows of a statement as one JSON text: what it costs to hand over thousands of values one by one is
# most of a commit otherwise.


def _as_json(model: type[Model], names: tuple[str, ...], values: Sequence[_Values]) -> str:
    columns = [_field(model, name).column for name in names]
    return fast_json.dumps([dict(zip(columns, row, strict=True)) for row in values], default=str).decode()


@lru_cache(maxsize=256)
def _insertion_from_json(model: type[Model], names: tuple[str, ...]) -> str:
    table, columns = _quoted(model, names)
    listed = ", ".join(columns)
    return f"INSERT INTO {table} ({listed}) SELECT {listed} FROM json_populate_recordset(NULL::{table}, %s::json)"


@lru_cache(maxsize=256)
def _statement_from_json(model: type[Model], names: tuple[str, ...]) -> str:
    table, columns = _quoted(model, names)
    pk: Any = model._meta.pk
    key = _quoted(model, (pk.name,))[1][0]
    sets = ", ".join(f"{column} = given.{column}" for column in columns)
    rows = f"json_populate_recordset(NULL::{table}, %s::json) AS given"
    return f"UPDATE {table} SET {sets} FROM {rows} WHERE {table}.{key} = given.{key}"


@lru_cache(maxsize=256)
def _statement(model: type[Model], names: tuple[str, ...]) -> str:
    table, columns = _quoted(model, names)
    pk: Any = model._meta.pk
    sets = ", ".join(f"{column} = ?" for column in columns)
    return f"UPDATE {table} SET {sets} WHERE {_quoted(model, (pk.name,))[1][0]} = ?"


@lru_cache(maxsize=256)
def _insertion(model: type[Model], names: tuple[str, ...], rows: int) -> str:
    table, columns = _quoted(model, names)
    row = f"({', '.join(['?'] * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * rows)}"


def _quoted(model: type[Model], names: tuple[str, ...]) -> tuple[str, list[str]]:
    quote: Any = connections["default"].ops.quote_name
    return quote(model._meta.db_table), [quote(_field(model, name).column) for name in names]


@lru_cache(maxsize=64)
def _stored(model: type[Model]) -> tuple[str, ...]:
    """Fields to write: not a number that the database gives."""
    return tuple(field.name for field in model._meta.concrete_fields if not isinstance(field, models.AutoField))


def _values(
    model: type[Model], names: tuple[str, ...], rows: list[Model], vendor: str, adding: bool = False
) -> Sequence[_Values]:
    """What the statement takes of each row. Thousands a second: a value that goes as it is costs no call."""
    columns, stamps = _columns(model, names, vendor, adding)
    if stamps:
        now = timezone.now()
        for row in rows:
            row.__dict__.update(dict.fromkeys(stamps, now))
    if len(rows) == 1:  # as of most models; to go by columns would cost more than it spares
        fields = rows[0].__dict__
        return [
            [value if (value := fields[n]) is None or convert is None else convert(value) for n, convert in columns]
        ]
    all_fields = [row.__dict__ for row in rows]
    return list(zip(*(_column(all_fields, name, convert) for name, convert in columns), strict=True))


def _column(rows: list[dict[str, Any]], name: str, convert: Callable[[Any], Any] | None) -> list[Any]:
    """Neighbours share their conversation, their task, their moment: what is the same is converted once."""
    if convert is None:
        return [fields[name] for fields in rows]
    column = []
    last = converted = None
    for fields in rows:
        value = fields[name]
        if value is not last:
            last, converted = value, None if value is None else convert(value)
        column.append(converted)
    return column


@lru_cache(maxsize=256)
def _columns(
    model: type[Model], names: tuple[str, ...], vendor: str, adding: bool
) -> tuple[list[tuple[str, Callable[[Any], Any] | None]], list[str]]:
    """Attributes with what makes a column's value of theirs; and those that say by themselves when a row was made."""
    fields = [_field(model, name) for name in names]
    stamps = [name for name in ("auto_now", "auto_now_add") if adding]
    stamped = [field.attname for field in fields if any(getattr(field, name, False) for name in stamps)]
    return [(field.attname, _conversion(field) if vendor == "sqlite" else None) for field in fields], stamped


def _conversion(field: Any) -> Callable[[Any], Any] | None:
    """For SQLite. Fields of unusual kinds go Django's own, slower way."""
    kind = field.target_field if field.is_relation else field
    if isinstance(kind, AS_THEY_ARE):
        return None
    if isinstance(kind, models.UUIDField):
        return _hexadecimal
    if type(kind) is models.JSONField:
        return _json
    if isinstance(kind, models.DateTimeField):
        return _moment
    return lambda value: field.get_db_prep_save(value, connections["default"])


def _hexadecimal(value: UUID) -> str:
    return f"{value.int:032x}"  # its own `hex` costs twice as much


def _json(value: Any) -> str:
    if not value and type(value) is dict:
        return "{}"
    return "[]" if not value and type(value) is list else fast_json.dumps(value).decode()


@lru_cache(maxsize=512)
def _moment(value: datetime) -> str:
    """Rows of one call share their moment."""
    if value.tzinfo is UTC:
        return str(value.replace(tzinfo=None))
    return str(connections["default"].ops.adapt_datetimefield_value(value))


def _field(model: type[Model], name: str) -> Any:
    return model._meta.get_field(name)
