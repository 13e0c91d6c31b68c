"""The A2A extensions of this server, as its cards declare them. Who does not ask for one sees plain A2A v1.0."""

from __future__ import annotations

RESUMABLE = "https://tkr-agent-chat.dev/a2a/extensions/resumable-streams/v1"
CHAIN = "https://tkr-agent-chat.dev/a2a/extensions/delegation-chain/v1"

# A2A AgentExtension objects. No `required`: false is protobuf's default, and a card says no defaults (see `cards.py`).
DECLARED = (
    {
        "uri": RESUMABLE,
        "description": "Every event of a stream carries a number as its SSE id. A stream that broke is opened again "
        "with Last-Event-ID, and goes on after that event without a gap.",
    },
    {
        "uri": CHAIN,
        "description": "Metadata that says for whom a message was sent, through which agents it came, and how many "
        "hops, seconds and tokens are left for it.",
    },
)
