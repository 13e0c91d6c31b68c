from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from agents_app import registry
from agents_app.base import Part
from agents_app.models import JournalHead, Task
from agents_app.scripted import Ask, AskAgent, Crash, Fail, Produce, Reject, Report, Say, ScriptedAgent, Wait

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def scripted() -> Iterator[Callable[..., str]]:
    """Make an agent that plays a script; returns its id."""
    made: list[str] = []

    def make(*script: Any, id: str = "tester") -> str:
        registry.add(
            type(id, (ScriptedAgent,), {"id": id, "name": id.title(), "description": "A test.", "script": script})
        )
        made.append(id)
        return id

    yield make
    for id in made:
        registry.remove(id)


class Asked:
    def __init__(self, *arguments: str, typed: str = "") -> None:
        self.out, self.err, self.code = io.StringIO(), io.StringIO(), 0
        before, sys.stdin = sys.stdin, io.StringIO(typed)
        try:
            call_command("ask", *arguments, stdout=self.out, stderr=self.err)
        except SystemExit as end:
            self.code = int(end.code or 0)
        finally:
            sys.stdin = before

    @property
    def said(self) -> str:
        return self.out.getvalue()

    @property
    def complained(self) -> str:
        return self.err.getvalue()


def test_it_works(scripted, grace):
    asked = Asked(scripted(Report("thinks"), Say("You said: {heard}", size=3)), "Good morning")

    assert (asked.said, asked.complained, asked.code) == ("You said: Good morning\n", "… thinks\n", 0)
    task = Task.objects.get()
    assert task.owner == grace and task.state == "completed"
    assert JournalHead.objects.get(context_id=task.context_id).owner == grace


def test_what_streams_is_shown_while_it_is_said(scripted, monkeypatch):
    shown: list[str] = []

    class Watched(io.StringIO):
        def write(self, text: str) -> int:
            shown.append(text)
            return super().write(text)

    monkeypatch.setattr(sys, "stdin", io.StringIO())
    call_command("ask", scripted(Say("one "), Wait(0.2), Say("two")), "Count", stdout=Watched())

    assert "".join(shown) == "one two\n" and "one " in shown


def test_the_question_may_come_from_the_standard_input(scripted):
    assert Asked(scripted(Say("{heard}")), typed=" as it was typed\n").said == "as it was typed\n"


def test_questions_are_asked_here(scripted):
    asked = Asked(scripted(Ask("Which day?"), Say("So {heard}.")), "Book it", typed="Saturday\n")

    assert asked.said == "Which day?\n> So Saturday.\n" and asked.code == 0


def test_so_are_those_of_an_agent_that_was_asked_itself(scripted):
    inner = scripted(Ask("Which day?"), Say("{heard} it is"), id="inner")

    asked = Asked(scripted(AskAgent(inner), Say("{heard}.")), "Book it", typed="Saturday\n")

    assert " ".join(asked.said.split()) == "Which day? > Saturday it is."
    assert asked.code == 0


@pytest.mark.parametrize(
    ("step", "code", "words"),
    [
        (Fail("No paper."), 1, "No paper."),
        (Crash(), 1, "Tester made a mistake nobody foresaw."),
        (Reject("Not my work."), 2, "Not my work."),
        (Ask("Which day?"), 4, "Tester waits for an answer."),
    ],
)
def test_the_exit_code_says_how_it_ended(scripted, step, code, words):
    asked = Asked(scripted(step), "Do it")

    assert asked.code == code and words in asked.complained


def test_as_json_it_says_everything_at_the_end(scripted):
    agent = scripted(Say("Here."), Produce([Part(data={"sky": "blue"})], name="sky"))
    asked = Asked(agent, "Look", "--json")
    outcome = json.loads(asked.said)

    assert outcome["task"] == str(Task.objects.get().id) and outcome["state"] == "completed"
    assert outcome["answer"] == "Here." and outcome["artifacts"][0]["parts"] == [{"data": {"sky": "blue"}}]


def test_as_json_nothing_is_asked_back(scripted):
    asked = Asked(scripted(Ask("Which day?")), "Book it", "--json", typed="Saturday\n")

    assert asked.code == 4 and json.loads(asked.said)["status"] == "Which day?"


def test_it_acts_for_whom_one_says(scripted, ada, grace):
    Asked(scripted(Say("Yes.")), "For me?", "--user", "ada")

    assert Task.objects.get().owner == ada


def test_stopped_it_stops_the_task(scripted, monkeypatch):
    from agents_app import asking

    agent = scripted(Say("I begin"), Wait(60))

    async def interrupt(self: asking.Asking, pieces: Any) -> None:
        me = next(task for task in asyncio.all_tasks() if "Command._ask" in repr(task.get_coro()))
        me.cancel()

    monkeypatch.setattr(asking.Asking, "_stream", interrupt)
    with pytest.raises(asyncio.CancelledError):
        Asked(agent, "Begin")

    assert Task.objects.get().state == "canceled"


def test_a_database_that_takes_nothing_is_told_in_a_sentence(scripted, monkeypatch):
    from agents_app import asking

    async def fail(self: asking.Asking, text: str) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(asking.Asking, "ask", fail)
    with pytest.raises(CommandError, match="The database did not take it: database or disk is full"):
        Asked(scripted(Say("Yes.")), "Begin")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nobody", "Hello"), 'There is no agent "nobody" here. There are: '),
        (("chloe", "  "), "Say what to ask"),
        (("chloe", "Hello", "--user", "mallory"), 'There is nobody called "mallory".'),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(arguments, words):
    with pytest.raises(CommandError, match=words):
        Asked(*arguments)
