"""Death between commit and broadcast: what is saved was told to nobody."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.db import transaction

ORDERS = "CHAOS_ORDERS"  # the folder where the harness says who is to die


def order_for(folder: str, pid: int) -> Path:
    return Path(folder) / f"die-{pid}"


def die_behind_commit(**_: Any) -> None:
    """Signal receiver, inside the journal's transaction."""
    folder = os.environ.get(ORDERS)
    if folder and order_for(folder, os.getpid()).exists():
        transaction.on_commit(lambda: os._exit(9))
