"""`make chaos`, or a part of it: `make chaos ONLY=postgres,soak`."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from chaos.alone import ALONE, Missing, folder_of
from chaos.elsewhere import ELSEWHERE
from chaos.faults import FAULTS
from chaos.play import play
from chaos.report import Row, print_rows
from chaos.soak import SOAK_SECONDS, play_soak
from chaos.stage import Stage
from chaos.twins import play_twins

BY_THEMSELVES = ALONE | ELSEWHERE
PARTS = [*BY_THEMSELVES, *FAULTS, "twins", "soak"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--only", default="", help=f"parts, with commas between them: {', '.join(PARTS)}")
    parser.add_argument("--soak-seconds", type=float, default=SOAK_SECONDS)
    arguments = parser.parse_args()
    wanted = [name for name in arguments.only.split(",") if name] or PARTS
    if unknown := [name for name in wanted if name not in PARTS]:
        parser.error(f'there is no part "{unknown[0]}"; choose from {", ".join(PARTS)}')
    folder = Path(tempfile.mkdtemp(prefix="tkr-chat-chaos-"))
    rows = asyncio.run(_play(folder, wanted, arguments.soak_seconds))
    print_rows(rows)
    if not any(row.broken for row in rows):
        shutil.rmtree(folder)
        return
    print(f"What the processes wrote is in {folder}.", file=sys.stderr)
    sys.exit(1)


async def _play(folder: Path, wanted: list[str], soak_seconds: float) -> list[Row]:
    rows = [await _play_alone(folder, name) for name in wanted if name in BY_THEMSELVES]
    together = [name for name in wanted if name not in BY_THEMSELVES]
    if not together:
        return rows
    stage = Stage(folder)
    try:
        await stage.build()
        rows += [await _play_together(stage, name, soak_seconds) for name in together]
    finally:
        await stage.leave()
    return rows


async def _play_together(stage: Stage, name: str, soak_seconds: float) -> Row:
    if name == "twins":
        try:
            return await play_twins(stage)
        except subprocess.CalledProcessError as failed:
            return Row(name, "", 0, {}, broken=[str(failed)])
    return await (play_soak(stage, soak_seconds) if name == "soak" else play(stage, FAULTS[name]))


async def _play_alone(folder: Path, name: str) -> Row:
    kind, fault = BY_THEMSELVES[name]
    stage = kind(folder_of(folder, name))
    try:
        await stage.build()
        return await play(stage, fault)
    except Missing as missing:
        return Row(fault.name, fault.load, 0, {}, broken=[f"not played, {missing}"])
    finally:
        await stage.leave()


if __name__ == "__main__":
    main()
