"""The brake: when the budget of a request is used up, the person decides how it goes on.

1. Whoever runs out stops where it is, and waits with nothing held in memory.
2. A delegated task waits in silence, with the limit in its budget (`SPENT`). Whoever asked it finds it like that and stops
   too, up to the outermost task. That one asks: a step of the kind `ask` called `BUDGET`, which stands in its answer. So
   there is one question, whoever of a chain ran out, and however many did together.
3. *Go on* gives the outermost task a fresh budget, in a new round. It runs again and goes on from its last finished step.
   When it comes to a task that waits since an earlier round, it gives it a fresh budget in turn, and that one does the same.
4. *Answer now* runs it again without tools and without delegation: what is not finished is stopped, and the model is asked
   once more. A budget that ends then too ends the task.
5. *End* stops everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from agents_app.models import Step, Task, TaskState
from agents_app.runtime.answer import Writes
from agents_app.runtime.budget import deadline_in
from agents_app.runtime.loops import THROUGH, with_mark

if TYPE_CHECKING:
    from agents_app.runtime.turn import RunningTurn

BUDGET = "budget"  # name of the step that asks, and its kind in the step's data
SPENT = "spent"  # in the budget of a task that waits in silence: which limit it reached
USED = "used"  # in the budget of a delegated task: the tokens of earlier rounds, which this one does not pay
ROUND = "round"  # in a budget: how often a person has said to go on

USED_UP = "The budget of this request is used up. Answer with what is known."


class Limit(StrEnum):
    SECONDS = "seconds"
    TOKENS = "tokens"
    HOPS = "hops"


class Choice(StrEnum):
    GO_ON = "go-on"
    ANSWER = "answer"
    END = "end"


QUESTIONS = {
    Limit.SECONDS: "The time of this request is used up.",
    Limit.TOKENS: "The tokens of this request are used up.",
    Limit.HOPS: "This request was passed on as often as it may be.",
}
HOW_TO_REPLY = "Reply go on, answer or end."
_WORDS = {
    "go on": Choice.GO_ON,
    "continue": Choice.GO_ON,
    "answer": Choice.ANSWER,
    "answer now": Choice.ANSWER,
    "end": Choice.END,
    "stop": Choice.END,
}


def choice_in(text: str) -> Choice | None:
    """What somebody decides who writes this; None: they write of something else."""
    bare = re.sub(r"@[\w-]+", " ", text.lower())
    return _WORDS.get(" ".join(re.findall(r"[a-z]+", bare)))


def last_choice(steps: Iterable[Step]) -> Choice | None:
    """What was decided last, if anything ever was."""
    decided = [step for step in steps if step.name == BUDGET and step.finished_at]
    return Choice(max(decided, key=lambda step: step.id).data["choice"]) if decided else None


def renewed(budget: dict[str, Any]) -> dict[str, Any]:
    """A fresh one for the outermost task: its time begins with the next run."""
    kept = {name: value for name, value in budget.items() if name not in ("deadline", SPENT)}
    return kept | {"hops": settings.AGENTS_HOPS, ROUND: round_of(budget) + 1}


def passed_on(turn: RunningTurn, used: int) -> dict[str, Any]:
    """A fresh one for a task that waits since an earlier round, in which it took `used` tokens.

    Everybody gets all the hops: who reached the limit of them stands at the end of a chain, and no chain has an agent twice.
    """
    return {
        **turn.task.budget,
        "tokens": turn.tokens_left,
        "deadline": deadline_in(turn.seconds_left()),
        USED: used,
        THROUGH: with_mark(turn.task.budget, turn.agent.id),
    }


def round_of(budget: dict[str, Any]) -> int:
    return int(budget.get(ROUND, 0))


def spent_limit(task: Task) -> Limit | None:
    """The limit at which a delegated task waits in silence."""
    return Limit(task.budget[SPENT]) if SPENT in task.budget and task.state == TaskState.INPUT_REQUIRED else None


async def stop_at(turn: RunningTurn, limit: Limit) -> None:
    """Wait for the decision; the turn is over for now."""
    if turn.task.parent_id is None:
        await _ask(turn, limit)
    else:
        writes = Writes(changes=turn.answer.saved_text())
        await turn.park(QUESTIONS[limit], writes, budget={**turn.task.budget, SPENT: limit.value})


async def _ask(turn: RunningTurn, limit: Limit) -> None:
    question = f"{QUESTIONS[limit]} {HOW_TO_REPLY}"
    asked = sum(step.name == BUDGET for step in turn.steps.values())
    step = Step(
        task=turn.task,
        key=f"{BUDGET}:{asked + 1}",
        kind=Step.Kind.ASK,
        name=BUDGET,
        data={"kind": BUDGET, "limit": limit.value, "question": question},
        started_at=timezone.now(),
    )
    await turn.park_with(step, question)
