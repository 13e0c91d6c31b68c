"""Every change of the ledger of backups, and what is done to make it true."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.actions.audit import note
from agents_app.runtime.owner import is_known_dead, this_process
from ops.backups.making import Made, make_backup, new_name
from ops.backups.manifest import Manifest
from ops.backups.progress import Progress, unseen
from ops.backups.proving import Proof, prove_backup
from ops.backups.pruning import Dated, Keep, kept_names
from ops.backups.refusals import Busy, NoSuchBackup, Refused
from ops.backups.restoring import Restored
from ops.backups.stores import Kept, list_kept, the_store
from ops.models import Backup
from ops.processes import start_command

logger = logging.getLogger(__name__)

CUT_OFF = "The process that did this ended before it was done."
State, Proved = Backup.State, Backup.Proof


def announce_backup(asked_by: Any = None) -> Backup:
    """Its row; `back_up` makes it true."""
    return Backup.objects.create(name=new_name(), made_at=timezone.now(), owner=this_process(), asked_by=asked_by)


def ask_for_backup(asked_by: Any = None) -> Backup:
    """Made by a process of its own. Raises `Busy`."""
    _require_calm()
    backup = announce_backup(asked_by)
    note("backup.asked", backup)
    start_command("backup", "--name", backup.name, then=partial(_note_not_begun, backup.name))
    return backup


def ask_for_proof(backup: Backup) -> Backup:
    """By a process of its own. Raises `Busy` and `NoSuchBackup`."""
    if backup.state != State.WHOLE:
        raise NoSuchBackup(f"{backup.name} is {backup.state}: there is nothing to prove.")
    _require_calm()
    _change(backup, proof=Proved.RUNNING, owner=this_process(), proof_error="")
    note("backup.proof_asked", backup)
    start_command("verifybackup", backup.name, then=partial(_note_not_begun, backup.name))
    return backup


def _note_not_begun(name: str, failure: str) -> None:
    """A process that could not even begin has noted nothing."""
    mine = Backup.objects.filter(name=name, owner=this_process())
    mine.filter(state=State.RUNNING).update(state=State.FAILED, error=failure or CUT_OFF)
    mine.filter(proof=Proved.RUNNING).update(proof=Proved.FAILED, proof_error=failure or CUT_OFF)


def _require_calm() -> None:
    _note_the_dead()
    if Backup.objects.running().exists():
        raise Busy(Busy.__doc__)


def back_up(announced: Backup | None = None, progress: Progress = unseen) -> Backup:
    backup = announced or announce_backup()
    _change(backup, owner=this_process())
    began = time.monotonic()
    with _noting(lambda why: _change(backup, state=State.FAILED, error=why)):
        made = make_backup(the_store(), backup.name, progress)
    seconds = time.monotonic() - began
    _change(backup, state=State.WHOLE, seconds=seconds, size=made.size, **_told_by(made.manifest))
    logger.info("Backed up: %s", _in_words(made), extra={"action": "backup.made"})
    return backup


def prove(backup: Backup, progress: Progress = unseen) -> Proof:
    """Restores it beside the present data, compares, and takes it away again."""
    _change(backup, proof=Proved.RUNNING, owner=this_process(), proof_error="")
    began = time.monotonic()
    with _noting(lambda why: _change(backup, proof=Proved.FAILED, proof_error=why)):
        proof = prove_backup(the_store(), backup.name, progress)
    values = {"proven_at": timezone.now(), "proof_seconds": time.monotonic() - began}
    _change(backup, proof=Proved.PROVEN, missing_files=proof.missing_files, **values, **_told_by(proof.manifest))
    logger.info("Proven: %s", backup.name, extra={"action": "backup.proven"})
    return proof


def prune_backups(keep: Keep, *, dry_run: bool = False) -> dict[str, list[Kept]]:
    """Deletes what no rule keeps. The last that was proven stays, and what cannot be read is left for people to look at."""
    store = the_store()
    found = [kept for kept in list_kept(store) if kept.manifest]
    names = set(kept_names([Dated(kept.name, kept.manifest.moment) for kept in found if kept.manifest], keep))
    if proven := Backup.objects.proven().order_by("-made_at").first():
        names.add(proven.name)
    report = {
        "kept": [kept for kept in found if kept.name in names],
        "deleted": [kept for kept in found if kept.name not in names],
    }
    if not dry_run:
        for kept in report["deleted"]:
            store.delete(kept.name)
            Backup.objects.filter(name=kept.name).update(state=State.GONE)
            note("backup.pruned", f"ops.backup:{kept.name}", kept.name)
    return report


def take_stock() -> list[Kept]:
    """Brings the ledger up to what the store has: after a restore, or when somebody copied or deleted files."""
    found = list_kept(the_store())
    with transaction.atomic():
        for kept in found:
            if kept.manifest:
                told = {"state": State.WHOLE, "error": "", "size": kept.size, **_told_by(kept.manifest)}
                Backup.objects.update_or_create(name=kept.name, defaults=told)
        there = [kept.name for kept in found]
        Backup.objects.whole().exclude(name__in=there).update(state=State.GONE)
        _note_the_dead()
    return found


def note_restored(name: str, restored: Restored) -> None:
    """The ledger that was restored knows nothing of what came after it; and a backup that was restored is proven."""
    note_proven(name, missing_files=restored.missing_files)
    note("backup.restored", f"ops.backup:{name}", name, made_at=restored.manifest.made_at, kept=restored.kept)


def note_proven(name: str, **values: Any) -> None:
    """It was restored and compared, and the ledger could not be told before."""
    take_stock()
    Backup.objects.filter(name=name).update(proof=Proved.PROVEN, proven_at=timezone.now(), **values)


def _note_the_dead() -> None:
    for backup in Backup.objects.running().exclude(owner=""):
        if is_known_dead(backup.owner):
            if backup.state == State.RUNNING:
                _change(backup, state=State.FAILED, error=CUT_OFF)
            if backup.proof == Proved.RUNNING:
                _change(backup, proof=Proved.FAILED, proof_error=CUT_OFF)


def _told_by(manifest: Manifest) -> dict[str, Any]:
    return {
        "made_at": manifest.moment,
        "messages": manifest.messages,
        "version": manifest.version,
        "database": manifest.database,
        "encrypted": manifest.encrypted,
    }


def _change(backup: Backup, **values: Any) -> None:
    for name, value in values.items():
        setattr(backup, name, value)
    backup.save(update_fields=list(values))


@contextmanager
def _noting(note: Callable[[str], None]) -> Iterator[None]:
    """Whatever happens, the ledger says so."""
    try:
        yield
    except BaseException as error:
        note(str(error) if isinstance(error, Refused) else f"{type(error).__name__}: {error}")
        raise


def _in_words(made: Made) -> str:
    return f"{made.name}, {made.size:,} bytes, {made.manifest.messages:,} messages, to {the_store().where}"


def keep_of_settings() -> Keep:
    return Keep(settings.BACKUP_KEEP_DAYS, settings.BACKUP_KEEP_WEEKS, settings.BACKUP_KEEP_MONTHS)
