from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is in a database: its server, its migrations, and the rows of each table."""

    server: str
    migrations: list[list[str]]
    tables: dict[str, int]

    @property
    def messages(self) -> int:
        return self.tables.get("agents_app_message", 0)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
