"""A request that comes back to an agent that passed it on, over other servers."""

from __future__ import annotations

import pytest

from agents_app.a2a.extensions import CHAIN
from agents_app.a2a.tests.edge.conftest import a_message, texts
from agents_app.runtime.loops import mark


async def _sent(guest, **chain):
    return (await guest.call("SendMessage", message=a_message("say hello"), metadata={CHAIN: chain}))["task"]


async def test_it_works(guest):
    task = await _sent(guest, chain=["Ada", "Clerk", "Phil"], agents=[mark("clerk"), "a mark of another server"])
    assert task["status"]["state"] == "TASK_STATE_REJECTED"
    [part] = task["status"]["message"]["parts"]
    assert part["text"] == ("Clerk is already part of this: Ada → Clerk → Phil → Clerk. Answer without asking again.")


async def test_a_name_alone_is_no_loop(guest):
    """Two servers may each have a clerk."""
    task = await _sent(guest, chain=["Ada", "Clerk"], agents=["a mark of another server", mark("parrot")])
    assert task["status"]["state"] == "TASK_STATE_COMPLETED" and texts(task) == ["hello"]


async def test_a_mark_of_before_the_key_was_changed_is_known(guest, settings):
    before = mark("clerk")
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key"
    assert mark("clerk") != before
    assert (await _sent(guest, agents=[before]))["status"]["state"] == "TASK_STATE_REJECTED"


@pytest.mark.parametrize("agents", ["clerk", [1], ["x"] * 33, {"a": "b"}])
async def test_what_is_no_list_of_marks_is_refused(guest, agents):
    metadata = {CHAIN: {"agents": agents}}
    assert await guest.code("SendMessage", message=a_message("say hello"), metadata=metadata) == -32602
