"""The prompt of a turn, as a provider gets it."""

from __future__ import annotations

from agents_app.actions.prompts import override_prompt
from agents_app.brains.tests.fake_provider import FakeProvider, Words
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
