from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

from django.core.management.utils import get_random_secret_key

from tkr_chat.env import WrongSetting


def saved_secret_key(folder: Path) -> str:
    """The key in `folder`, made the first time. Readable by its owner only."""
    file = folder / "secret-key"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as new:
            new.write(get_random_secret_key())
    except FileExistsError:
        pass
    return file.read_text(encoding="utf-8")


def required_secret_key() -> NoReturn:
    raise WrongSetting(
        f"SECRET_KEY is missing, and DEBUG is off: write SECRET_KEY='{get_random_secret_key()}' into .env "
        "(this one was made just now, for you)."
    )
