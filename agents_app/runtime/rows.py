"""Many rows in few statements: what makes a group commit cheap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, TypeVar
from uuid import UUID

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
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
    fields = plain | values
    for name, make in made:
        fields[name] = make()
    state = fields["_state"] = ModelState()
    for name, column in relations:
        value = state.fields_cache[name] = fields.pop(name)
        fields[column] = value.pk if value is not None else None
    row = model.__new__(model)
    row.__dict__ = fields
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
def pipelined(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Statements inside do not wait for the answer of the one before, where the database can do that."""
    if connection.vendor == "postgresql" and connection.connection is not None:
        with connection.wrap_database_errors, connection.connection.pipeline():
            yield
    else:
        yield


def insert(rows: Iterable[Model], connection: BaseDatabaseWrapper | None = None) -> None:
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
    connection = connection or connections["default"]
    vendor, alias = connection.vendor, connection.alias
    with connection.wrap_database_errors:
        for model, models_ in by_model.items():
            columns = _inserted(model, vendor)
            values = columns.of_new(models_)
            if vendor == "sqlite":
                _insert_together(connection.connection, model, values)
            else:
                _execute(connection, _insertion_from_json(model), _as_json(columns, values))
            for row in models_:
                state = row._state
                state.adding, state.db = False, alias


def update(changes: Sequence[tuple[Model, tuple[str, ...]]], connection: BaseDatabaseWrapper) -> None:
    """Save the named fields of each row in few statements, inside a transaction. What is said last of a row stays."""
    if not changes:
        return
    with connection.wrap_database_errors:
        for (model, names), rows in _in_order(changes):
            columns = _updated(model, names, connection.vendor)
            values = columns.of(list(rows.values()))
            if connection.vendor == "sqlite":
                connection.connection.executemany(_statement(model, names), values)
            else:
                _execute(connection, _statement_from_json(model, names), _as_json(columns, values))


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


def _insert_together(database: Any, model: type[Model], values: Sequence[_Values]) -> None:
    """A statement for each row would write the search index, and let other threads run, row by row."""
    begin = 0
    while left := len(values) - begin:
        size = FITTING[min(left, ROWS_TOGETHER[0])]
        flat = values[begin] if size == 1 else list(chain.from_iterable(values[begin : begin + size]))
        database.execute(_insertion(model, size), flat)
        begin += size


def _execute(connection: Any, statement: str, rows: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [rows])


# PostgreSQL takes all rows of a statement as one JSON text: what it costs to hand over thousands of values one by one is
# most of a commit otherwise.


def _as_json(columns: _Columns, values: Sequence[_Values]) -> str:
    return fast_json.dumps([dict(zip(columns.names, row, strict=True)) for row in values], default=str).decode()


@lru_cache(maxsize=64)
def _insertion_from_json(model: type[Model]) -> str:
    table, columns = _quoted(model, _stored(model))
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
def _insertion(model: type[Model], rows: int) -> str:
    table, columns = _quoted(model, _stored(model))
    row = f"({', '.join(['?'] * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * rows)}"


def _quoted(model: type[Model], names: tuple[str, ...]) -> tuple[str, list[str]]:
    quote: Any = connections["default"].ops.quote_name
    return quote(model._meta.db_table), [quote(_field(model, name).column) for name in names]


def _stored(model: type[Model]) -> tuple[str, ...]:
    """Fields to write: not a number that the database gives."""
    return tuple(field.name for field in model._meta.concrete_fields if not isinstance(field, models.AutoField))


@lru_cache(maxsize=64)
def _inserted(model: type[Model], vendor: str) -> _Columns:
    return _Columns(model, _stored(model), vendor)


@lru_cache(maxsize=256)
def _updated(model: type[Model], names: tuple[str, ...], vendor: str) -> _Columns:
    pk: Any = model._meta.pk
    return _Columns(model, (*names, pk.name), vendor)


class _Columns:
    """Columns of a model in the order of a statement, and what it takes of each row. Thousands a second: a value that
    goes as it is costs no call."""

    def __init__(self, model: type[Model], names: tuple[str, ...], vendor: str) -> None:
        fields = [_field(model, name) for name in names]
        attributes = [field.attname for field in fields]
        self.names = [field.column for field in fields]
        self._fetch: Any = itemgetter(*attributes) if len(fields) > 1 else lambda row: (row[attributes[0]],)
        found = enumerate(map(_conversion, fields)) if vendor == "sqlite" else ()
        self._conversions = [(at, convert) for at, convert in found if convert is not None]
        stamps = ("auto_now", "auto_now_add")
        self._stamped = [field.attname for field in fields if any(getattr(field, stamp, False) for stamp in stamps)]

    def of_new(self, rows: list[Model]) -> list[_Values]:
        """With the moment in the columns that say by themselves when a row was made."""
        if self._stamped:
            stamps = dict.fromkeys(self._stamped, timezone.now())
            for row in rows:
                row.__dict__.update(stamps)
        return self.of(rows)

    def of(self, rows: list[Model]) -> list[_Values]:
        values: list[Any] = [list(self._fetch(row.__dict__)) for row in rows]
        for at, convert in self._conversions:
            last = converted = None
            for row in values:  # neighbours share their conversation, their task, their moment: converted once
                if (value := row[at]) is not last:
                    last, converted = value, None if value is None else convert(value)
                row[at] = converted
        return values


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


def _moment(value: datetime) -> str:
    if value.tzinfo is UTC:
        return value.isoformat(" ")[: -len("+00:00")]
    return str(connections["default"].ops.adapt_datetimefield_value(value))


def _field(model: type[Model], name: str) -> Any:
    return model._meta.get_field(name)
