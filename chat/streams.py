"""Messages that stream to this process's browsers: finished blocks become HTML once, the rest travels as text."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from agents_app.models import Message
from agents_app.runtime.relay import Piece
from chat import protocol
from chat.markdown import Settled, StreamedText
from chat.rendering import message_html


class _Stream:
    """What the browsers have of a message: its text up to `length`, with `text.tail` still open."""

    def __init__(self, said: str, start: int) -> None:
        self.length = len(said)
        self.text = StreamedText(start)
        self.text.feed(said[start:])


class Streams:
    """One `_Stream` for each streaming message that somebody here has been shown."""

    def __init__(self, snapshot: Callable[[UUID], str | None]) -> None:
        self._snapshot = snapshot
        self._streams: dict[UUID, _Stream] = {}

    def html(self, message: Message, *, cut: bool = False) -> str:
        """The message as it stands; pieces that follow begin exactly where it ends. `cut`: it is another text now."""
        if message.state != Message.State.STREAMING:
            self._streams.pop(message.id, None)
            return message_html(message)
        said = self._snapshot(message.id)
        if said is None:  # it streams in another process, and nothing was heard of it: what is saved will do
            said = message.text
        start = max((step.offset for step in message.shown_steps), default=0)  # type: ignore[attr-defined]
        known = self._streams.get(message.id)
        if known is None or cut or known.length > len(said):  # new here, or its text was cut back
            self._streams[message.id] = _Stream(said, start)
            return message_html(message, said)
        return message_html(message, said[: known.length])

    def ids(self) -> list[UUID]:
        return list(self._streams)

    def frames(self, piece: Piece) -> list[str]:
        """What to send for a piece. Nothing when nobody here was shown the message yet: a snapshot will come."""
        stream = self._streams.get(piece.message_id)
        if stream is None or piece.offset > stream.length:
            return []
        text = piece.text[max(stream.length - piece.offset, 0) :]
        if not text:
            return []
        offset, stream.length = stream.length, stream.length + len(text)
        frame = protocol.encode(
            "message.streamed",
            conversation=piece.context_id,
            message=piece.message_id,
            offset=offset,
            text=text,
        )
        settled = [_settled_frame(piece.context_id, piece.message_id, block) for block in stream.text.feed(text)]
        return [frame, *settled]

    def settle(self, context_id: UUID, message_id: UUID) -> list[str]:
        """Finish what is open, because a tool call is to be shown behind it."""
        stream = self._streams.get(message_id)
        block = stream.text.settle_all() if stream else None
        return [_settled_frame(context_id, message_id, block)] if block else []

    def forget(self, message_id: UUID) -> None:
        self._streams.pop(message_id, None)


def _settled_frame(context_id: UUID, message_id: UUID, block: Settled) -> str:
    return protocol.encode(
        "message.settled", conversation=context_id, message=message_id, upto=block.upto, html=block.html
    )
