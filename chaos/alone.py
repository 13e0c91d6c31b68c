"""Faults that meet one server on SQLite: its disk, its clock, its model provider, its readers."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from websockets.asyncio.client import connect

from chaos.load import Load
from chaos.play import Fault
from chaos.product import Product, running
from chaos.provider import Provider
from chaos.stage import Stage

DISK_MEGABYTES = 48
FULL_SECONDS = 4.0
MOOD_SECONDS = 4.0
LIBRARIES = Path("/usr/lib")
FAKETIME = sorted(LIBRARIES.glob("*/faketime/libfaketimeMT.so.1"))  # of the package faketime
HOUR = 3600
UNREAD_SECONDS = 8.0


class Missing(Exception):
    """This machine has not what a fault needs."""


class Alone(Stage):
    """One server with an empty SQLite database."""

    settings: dict[str, str] = {}

    async def build(self) -> None:
        (self.folder / "data").mkdir()
        product = Product(self.folder, self.settings)
        await asyncio.to_thread(product.manage, "prepare")
        self.product = await asyncio.to_thread(self._open.enter_context, running(self.folder, self.settings, 1, 0))

    async def leave(self) -> None:
        await asyncio.to_thread(self._open.close)


class SmallDisk(Alone):
    async def build(self) -> None:
        if os.geteuid():
            raise Missing("only root may mount a small disk")
        data = self.folder / "data"
        data.mkdir()
        size = f"size={DISK_MEGABYTES}m"
        await asyncio.to_thread(_run, "mount", "-t", "tmpfs", "-o", size, "tmpfs", str(data))
        self._open.callback(_run, "umount", "-l", str(data))
        product = Product(self.folder, {"LOG_FILES": "off"})
        await asyncio.to_thread(product.manage, "prepare")
        entering = self._open.enter_context
        self.product = await asyncio.to_thread(entering, running(self.folder, {"LOG_FILES": "off"}, 1, 0))


class FakeClock(Alone):
    async def build(self) -> None:
        if not FAKETIME:
            raise Missing("Debian's package faketime is not installed")
        self.clock = self.folder / "clock"
        self.turn_clock(0)
        self.settings = {
            "LD_PRELOAD": str(FAKETIME[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self.clock),
            "FAKETIME_CACHE_DURATION": "1",  # seconds; without it each look at the clock reads the file
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        await super().build()

    def turn_clock(self, seconds: int) -> None:
        self.clock.write_text(f"{seconds:+d}s\n")


class WithProvider(Alone):
    async def build(self) -> None:
        self.provider = Provider()
        await self.provider.start()
        self.settings = {
            "AGENT_MODEL": "openai:fake",
            "OPENAI_API_KEY": "fake",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{self.provider.port}/v1",
            "AGENTS_TURN_SECONDS": "20",
        }
        await super().build()

    async def leave(self) -> None:
        await self.provider.stop()
        await super().leave()


async def fill_disk(stage: Stage, load: Load) -> None:
    filler = stage.folder / "data" / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                os.write(file.fileno(), bytes(64 * 1024))
        except OSError:
            pass
    await asyncio.sleep(FULL_SECONDS)
    filler.unlink()


async def jump_forward(stage: Stage, load: Load) -> None:
    assert isinstance(stage, FakeClock)
    stage.turn_clock(HOUR)
    await asyncio.sleep(3)


async def jump_back(stage: Stage, load: Load) -> None:
    assert isinstance(stage, FakeClock)
    stage.turn_clock(-HOUR)
    await asyncio.sleep(3)


def provider_is(mood: str) -> Callable[[Stage, Load], object]:
    async def play(stage: Stage, load: Load) -> None:
        assert isinstance(stage, WithProvider)
        stage.provider.mood = mood
        await asyncio.sleep(MOOD_SECONDS)
        stage.provider.recover()

    return play


async def read_nothing(stage: Stage, load: Load) -> None:
    """Browsers that open a conversation in which much is said, and never read a byte."""
    person = load.people[0]
    port = stage.product.webs[0].port
    silent = []
    for _ in range(20):
        socket = await connect(f"ws://127.0.0.1:{port}/ws", **person.credentials(port) | {"max_queue": 1})
        await socket.send(f'{{"type": "conversation.open", "id": "{person.conversation}", "after": null}}')
        socket.transport.pause_reading()
        silent.append(socket)
    await asyncio.sleep(UNREAD_SECONDS)
    for socket in silent:
        socket.transport.abort()


ALONE: dict[str, tuple[type[Alone], Fault]] = {
    "disk": (SmallDisk, Fault("the disk of SQLite is full", fill_disk, people=10, texts=("1.0 0.3 " + "x" * 40_000,))),
    "clock-forward": (FakeClock, Fault("the clock jumps an hour forward", jump_forward)),
    "clock-back": (FakeClock, Fault("the clock jumps an hour back", jump_back)),
    "unread": (Alone, Fault("20 browsers that read nothing", read_nothing, people=3, agent="talker", texts=("go",))),
}
MOODS = {"hangs": "hangs", "busy": "answers 429", "broken": "answers 500", "breaks-off": "cuts its stream"}
for mood, words in MOODS.items():
    fault = Fault(f"the model provider {words}", provider_is(mood), people=5, agent="thinker", texts=("go",))  # type: ignore[arg-type]
    ALONE[f"provider-{mood}"] = (WithProvider, fault)


def folder_of(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
