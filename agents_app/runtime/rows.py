"""Many rows in few statements: what makes a group commit cheap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Model


def insert(rows: Iterable[Model]) -> None:
    """Insert rows of several models, one statement a model. Foreign keys are checked at the commit, so any order goes."""
    by_model: dict[type[Model], list[Any]] = {}
    for row in rows:
        by_model.setdefault(type(row), []).append(row)
    for model, models in by_model.items():
        model._default_manager.bulk_create(models)


def update(changes: Sequence[tuple[Model, tuple[str, ...]]]) -> None:
    """Save the named fields of each row, one `executemany` for each model and set of fields, in the order given."""
    by_shape: dict[tuple[type[Model], tuple[str, ...]], list[Model]] = {}
    for row, names in changes:
        by_shape.setdefault((type(row), names), []).append(row)
    for (model, names), rows in by_shape.items():
        pk: Any = model._meta.pk
        fields = [_field(model, name) for name in names] + [pk]
        values = [[field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields] for row in rows]
        with connection.cursor() as cursor:
            cursor.executemany(_statement(model, names), values)


@lru_cache(maxsize=256)
def _statement(model: type[Model], names: tuple[str, ...]) -> str:
    quote: Any = connection.ops.quote_name
    columns = ", ".join(f"{quote(_field(model, name).column)} = %s" for name in names)
    return f"UPDATE {quote(model._meta.db_table)} SET {columns} WHERE {quote(model._meta.pk.column)} = %s"


def _field(model: type[Model], name: str) -> Any:
    return model._meta.get_field(name)
