from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from ops.actions.backups import note_restored
from ops.backups.refusals import Refused
from ops.backups.restoring import restore_backup
from ops.backups.stores import find_place, list_kept, the_store
from ops.command import OperatorCommand, Report

OTHER_KEY = (
    "It was made with another SECRET_KEY. Sessions begin anew, and secrets of agents and signing keys cannot be read: "
    "name that key in SECRET_KEY_FALLBACKS, then run `manage.py rotatesecrets`."
)


class Command(OperatorCommand):
    help = (
        "Put a backup in the place of the present data. The present data is left alone until the backup is unpacked, "
        "restored beside it and proven; and it is kept. Stop the server first."
    )
    examples = (
        "latest",
        "tkr-20261128-031200-482915-4f2a.backup",
        "/mnt/usb/tkr-20261128-031200-482915-4f2a.backup --yes",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("backup", help='A name that `listbackups` shows, the path of a file, or "latest".')
        parser.add_argument("--yes", action="store_true", help="Do not ask.")

    def work(self, *, backup: str, yes: bool) -> Report:
        name = _latest() if backup == "latest" else backup
        store, name = find_place(name)
        question = f"Put {name} in the place of the present data? [y/N] "
        if not yes and self.ask(question).strip().lower() not in ("y", "yes"):
            raise Refused("Nothing was changed.")
        restored = restore_backup(store, name, self.progress)
        note_restored(name, restored)
        return {
            "name": name,
            "made_at": restored.manifest.made_at,
            "version": restored.manifest.version,
            "messages": restored.manifest.messages,
            "kept": restored.kept,
            "missing_files": restored.missing_files,
            "other_secret_key": restored.other_secret_key,
        }

    def lines(self, report: Report) -> list[str]:
        lines = [f"Restored {report['messages']:,} messages, as they were at {report['made_at']}."]
        if report["kept"]:
            lines.append(f"What was there before is kept as {report['kept']}; delete it when you need it no more.")
        if report["missing_files"]:
            lines.append(f"{report['missing_files']} attached files were missing already when the backup was made.")
        return [*lines, OTHER_KEY] if report["other_secret_key"] else lines


def _latest() -> str:
    whole: list[Any] = [kept for kept in list_kept(the_store()) if kept.manifest]
    if not whole:
        raise Refused(f"There is no backup in {the_store().where}.")
    return str(max(whole, key=lambda kept: kept.manifest.moment).name)
