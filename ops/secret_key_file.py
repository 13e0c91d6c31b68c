"""The key that the server made itself, in DATA_DIR; `tkr_chat/secret_key.py` reads it."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.management.utils import get_random_secret_key

from ops.backups.refusals import Refused

FILE, FORMER = "secret-key", "secret-keys-former"


class NotInFile(Refused):
    """SECRET_KEY is set: change it there, and put the former one into SECRET_KEY_FALLBACKS."""


def make_new_key(folder: Path, present: str) -> None:
    """The former key is safe in its file before the new one is there."""
    file = folder / FILE
    if not file.is_file() or file.read_text(encoding="utf-8") != present:
        raise NotInFile(NotInFile.__doc__)
    former = folder / FORMER
    known = former.read_text(encoding="utf-8").split() if former.is_file() else []
    _write(former, "\n".join([present, *known]))
    _write(file, get_random_secret_key())


def forget_former_keys(folder: Path) -> None:
    (folder / FORMER).unlink(missing_ok=True)


def _write(file: Path, text: str) -> None:
    draft = file.with_name(f".{file.name}.part")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)
