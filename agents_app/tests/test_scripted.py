from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from agents_app.base import ToolError, tool
from agents_app.scripted import Ask, AskAgent, Crash, Say, ScriptedAgent, Stream, Use, Wait
from agents_app.tests.fake_turn import FakeTurn


@tool
async def shout(turn: Any, text: str) -> str:
    """Louder."""
    if not text:
        raise ToolError("Nothing to shout.")
    return text.upper()


async def play(*script: Any, message: str = "hello") -> FakeTurn:
    class Player(ScriptedAgent):
        id = "player"
        name = "Player"
        description = "Plays."

    Player.script = script
    turn = FakeTurn(Player(), message)
    turn.answers["phil"] = "Cold."
    await turn.agent.respond(turn)  # type: ignore[arg-type]
    return turn


async def test_it_works() -> None:
    turn = await play(Say("You said: {heard}"), Wait(0.01), Say("!"))
    assert turn.text == "You said: hello!"


async def test_what_comes_back_is_heard() -> None:
    assert (await play(Use(shout, {"text": "hey"}), Say("{heard}"))).text == "HEY"
    assert (await play(Use(shout, {"text": ""}), Say("{heard}"))).text == "Nothing to shout."
    assert (await play(AskAgent("phil"), Say("{heard}"))).text == "Cold."
    assert (await play(Ask("Really, {heard}?"), Say("{heard}"))).text == "Yes."


async def test_text_comes_in_pieces() -> None:
    assert (await play(Say("abcdefg", size=3))).pieces == ["abc", "def", "g"]


async def test_a_crash_is_a_crash() -> None:
    with pytest.raises(RuntimeError):
        await play(Crash())


async def test_a_stream_keeps_its_schedule_although_saying_takes_time(monkeypatch: pytest.MonkeyPatch) -> None:
    said_at: list[float] = []

    async def slow(self: FakeTurn, text: str) -> None:
        said_at.append(time.time())
        self.pieces.append(text)
        await asyncio.sleep(0.005)

    monkeypatch.setattr(FakeTurn, "say", slow)
    start = time.time() + 0.05
    turn = await play(Stream(pieces=20, chars=8, per_second=100), message=f"start at {start}")
    assert turn.pieces[:2] == ["0000000 ", "0000001 "] and len(turn.pieces) == 20
    assert said_at[0] >= start
    assert said_at[-1] - start == pytest.approx(0.19, abs=0.04), "a drifting schedule would need 0.29 s"
