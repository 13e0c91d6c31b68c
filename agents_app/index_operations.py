"""Steps of migrations that change the indexes of large tables: on PostgreSQL nobody who reads or writes waits for them.

A migration with these is `atomic = False`, and may be run again where it was cut off.
"""

from __future__ import annotations

from typing import Any

from django.db import router
from django.db.migrations import AddConstraint, AddIndex, AlterField, RemoveConstraint, RemoveIndex


class AddIndexBeside(AddIndex):
    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        _add(schema_editor, to_state.apps.get_model(app_label, self.model_name), self.index)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        _drop(schema_editor, self.index.name)


class RemoveIndexBeside(RemoveIndex):
    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        _drop(schema_editor, self.name)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        index = to_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        _add(schema_editor, to_state.apps.get_model(app_label, self.model_name), index)


class AddUniqueBeside(AddConstraint):
    """SQLite gets an index as well: Django itself would copy the whole table there for a constraint without a condition."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        _add_unique(schema_editor, to_state.apps.get_model(app_label, self.model_name), self.constraint)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        _drop_unique(schema_editor, to_state.apps.get_model(app_label, self.model_name), self.constraint)


class RemoveUniqueBeside(RemoveConstraint):
    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        constraint = from_state.models[app_label, self.model_name_lower].get_constraint_by_name(self.name)
        _drop_unique(schema_editor, to_state.apps.get_model(app_label, self.model_name), constraint)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        constraint = to_state.models[app_label, self.model_name_lower].get_constraint_by_name(self.name)
        _add_unique(schema_editor, to_state.apps.get_model(app_label, self.model_name), constraint)


class ForeignKeyWithoutIndex(AlterField):
    """`field` is the same with `db_index=False`. Django itself would copy the whole table on SQLite, without its triggers."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        for suffix in ("", "_like"):  # of a key that is text PostgreSQL has two
            _drop(schema_editor, self._index_name(schema_editor, model, suffix))

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        quote, column = schema_editor.quote_name, model._meta.get_field(self.name).column
        name = quote(self._index_name(schema_editor, model, ""))
        schema_editor.execute(f"CREATE INDEX {name} ON {quote(model._meta.db_table)} ({quote(column)})")

    def _index_name(self, schema_editor: Any, model: Any, suffix: str) -> str:
        column = model._meta.get_field(self.name).column
        name = schema_editor._create_index_name(model._meta.db_table, [column], suffix=suffix)  # noqa: SLF001
        return str(name)


def _add(schema_editor: Any, model: Any, index: Any) -> None:
    if not router.allow_migrate_model(schema_editor.connection.alias, model):
        return
    _drop(schema_editor, index.name)  # half of one may be left of a run that was cut off
    beside = {"concurrently": True} if schema_editor.connection.vendor == "postgresql" else {}
    schema_editor.add_index(model, index, **beside)


def _add_unique(schema_editor: Any, model: Any, constraint: Any) -> None:
    _drop_unique(schema_editor, model, constraint)
    if constraint.condition is not None:
        made = str(constraint.create_sql(model, schema_editor))
        schema_editor.execute(made.replace("INDEX", f"INDEX {_beside(schema_editor)}", 1))
        return
    quote = schema_editor.quote_name
    name, table = quote(constraint.name), quote(model._meta.db_table)
    columns = ", ".join(quote(model._meta.get_field(field).column) for field in constraint.fields)
    schema_editor.execute(f"CREATE UNIQUE INDEX {_beside(schema_editor)}{name} ON {table} ({columns})")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}")


def _drop_unique(schema_editor: Any, model: Any, constraint: Any) -> None:
    if schema_editor.connection.vendor == "postgresql" and constraint.condition is None:
        quote = schema_editor.quote_name
        table, name = quote(model._meta.db_table), quote(constraint.name)
        schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
    _drop(schema_editor, constraint.name)


def _drop(schema_editor: Any, name: str) -> None:
    schema_editor.execute(f"DROP INDEX {_beside(schema_editor)}IF EXISTS {schema_editor.quote_name(name)}")


def _beside(schema_editor: Any) -> str:
    return "CONCURRENTLY " if schema_editor.connection.vendor == "postgresql" else ""
