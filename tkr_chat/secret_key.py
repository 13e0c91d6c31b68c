from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NoReturn

from django.core.management.utils import get_random_secret_key

from tkr_chat.env import WrongSetting


def saved_secret_key(folder: Path) -> str:
    """The key in `folder`, made the first time. Readable by its owner only."""
    file = folder / "secret-key"
    if not file.exists():
        _save_new_key(file)
    return file.read_text(encoding="utf-8")


def former_secret_keys(folder: Path) -> list[str]:
    """Those that `manage.py rotatesecrets --new-key` has replaced."""
    file = folder / "secret-keys-former"
    return file.read_text(encoding="utf-8").split() if file.is_file() else []


def required_secret_key() -> NoReturn:
    raise WrongSetting(
        f"SECRET_KEY is missing while DEBUG is off: write SECRET_KEY='{get_random_secret_key()}' into .env "
        "(a new key, made for you just now)."
    )


def _save_new_key(file: Path) -> None:
    """Two first starts at once must end with one key, and nobody may read half of it: write aside, then link."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=file.parent, encoding="utf-8") as draft:  # created with mode 600
            draft.write(get_random_secret_key())
            draft.flush()
            os.link(draft.name, file)
    except FileExistsError:
        return
    except OSError as error:
        raise WrongSetting(f"DATA_DIR {file.parent} cannot be written ({error.strerror}): name another.") from error
