"""The tool `ask_agent`, with which a model delegates.

The runtime knows this tool by its name: `turn.ask_agent` records the delegation as a step of its own, so a call of
`ask_agent` is not recorded a second time.
"""

from __future__ import annotations

from agents_app.base import ToolError, ToolResult, Turn, tool

DELEGATION_SECONDS = 300.0  # the other agent's own limits end it sooner


@tool(seconds=DELEGATION_SECONDS)
async def ask_agent(turn: Turn, agent: str, message: str) -> ToolResult:
    """Ask another agent of this conversation for help and wait for its answer.

    Use it when another agent's description or skills fit the question better than yours, or when a person asks you to
    talk to that agent. `agent` is the other agent's id as listed, such as "phil_connors"; `message` is the whole
    question in plain words, with every detail that is needed, since the other agent sees only what you write.
    """
    agent_id = agent.strip().lstrip("@").lower().replace(" ", "_")
    if not agent_id or not message.strip():
        raise ToolError("Say which agent to ask, and what.")
    answer = await turn.ask_agent(agent_id, message)
    if answer.state != "completed":
        raise ToolError(answer.text or f"{answer.agent_id} did not answer ({answer.state}).")
    return ToolResult(answer.text, {"agent": answer.agent_id, "state": answer.state, "text": answer.text})
