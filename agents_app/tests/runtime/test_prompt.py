"""The prompt of a turn, as a provider gets it."""

from __future__ import annotations

import asyncio

from agents_app.actions.prompts import override_prompt
from agents_app.actions.restarts import restart_agent
from agents_app.base import ToolResult, tool
from agents_app.brains.tests.fake_provider import Calls, FakeProvider, Words
from agents_app.models import Agent
from agents_app.threads import in_thread


async def test_the_next_turn_has_the_newest_prompt(room, agent, settings, grace):
    async def answer(turn):
        await turn.think()

    async def insist(turn):
        await turn.think(prompt="Only what the code says.")

    poet, stubborn = agent(answer, "poet"), agent(insist, "stubborn")
    provider = FakeProvider(*(Words(["Yes."]) for _ in range(4)))
    settings.AGENT_MODEL = "openai:some-model"

    async def change(id: str, text: str) -> None:
        await in_thread(lambda: override_prompt(Agent.objects.get(id=id), text, grace))

    async def prompt_of(id: str) -> str:
        task = await room.settle(await room.ask(id, "Really?"))
        assert task.state == "completed", task.status_text
        return provider.requests[-1]["messages"][0]["content"]

    with provider.running():
        settings.OPENAI_BASE_URL = provider.url
        assert (await prompt_of(poet)).startswith("A test.\n"), "what the class says"
        await change(poet, "Speak in prose.")
        await change(stubborn, "Give in.")
        assert (await prompt_of(poet)).startswith("Speak in prose.\n")
        await change(poet, "")
        assert (await prompt_of(poet)).startswith("A test.\n")
        assert (await prompt_of(stubborn)).startswith("Only what the code says.\n")


async def test_what_is_taken_up_again_goes_on_with_the_prompt_it_began_with(room, agent, settings, grace):
    """The model has asked for a tool already, under that prompt."""
    called = asyncio.Event()

    @tool
    async def look(turn) -> ToolResult:
        """Look out of the window."""
        if not called.is_set():
            called.set()
            await asyncio.sleep(60)
        return ToolResult("rain")

    async def answer(turn):
        await turn.think(tools=(look,))

    id = agent(answer)
    provider = FakeProvider(Calls([("c1", "look", {})]), Words(["It rains."]), Words(["Yes."]))
    settings.AGENT_MODEL = "openai:some-model"

    def change(text: str) -> None:
        override_prompt(Agent.objects.get(id=id), text, grace)

    with provider.running():
        settings.OPENAI_BASE_URL = provider.url
        await in_thread(change, "Speak in prose.")
        task = await room.ask(id, "Does it rain?")
        async with asyncio.timeout(20):
            await called.wait()
        await in_thread(change, "Speak in verse.")
        await in_thread(lambda: restart_agent(Agent.objects.get(id=id), everything=True))
        await room.runtime.recovery.keep_leases()
        async with asyncio.timeout(20):
            assert (await room.settle(task)).state == "completed"
            await room.settle(await room.ask(id, "Really?"))

    prompts = [request["messages"][0]["content"] for request in provider.requests]
    assert [prompt.partition("\n")[0] for prompt in prompts] == ["Speak in prose."] * 2 + ["Speak in verse."]
    assert all(prompt.count("## Here and now") == 1 for prompt in prompts)
