from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from agents_app.ids import uuid7
from agents_app.runtime.live import LiveText


async def test_it_works():
    live, got = LiveText(0.01), []

    async def subscriber(pieces):
        got.extend(pieces)

    live.subscribe(subscriber)
    message = uuid7()
    live.open(uuid7(), message)
    for word in ("one ", "two ", "three"):
        live.append(message, word)
        await asyncio.sleep(0.004)
    await live.flush()
    assert "".join(piece.text for piece in got) == "one two three"
    assert [piece.offset for piece in got] == [sum(len(p.text) for p in got[:n]) for n in range(len(got))]


async def test_the_first_piece_leaves_at_once():
    live, got = LiveText(30), []

    async def subscriber(pieces):
        got.extend(pieces)

    live.subscribe(subscriber)
    message = uuid7()
    live.open(uuid7(), message)
    live.append(message, "hello")
    await asyncio.sleep(0.01)
    assert [piece.text for piece in got] == ["hello"]


async def test_under_load_pieces_grow_larger_instead_of_more():
    live, got = LiveText(0.001), []

    async def slow(pieces):
        got.extend(pieces)
        await asyncio.sleep(0.02)

    live.subscribe(slow)
    message = uuid7()
    live.open(uuid7(), message)
    for _ in range(100):
        live.append(message, "x")
        await asyncio.sleep(0.001)
    while sum(len(piece.text) for piece in got) < 100:
        await asyncio.sleep(0.01)
    assert sum(len(piece.text) for piece in got) == 100
    assert len(got) < 20


@given(st.lists(st.one_of(st.text(max_size=5), st.sampled_from(["flush", "read"])), max_size=30))
def test_a_reader_who_joins_anywhere_has_exactly_the_text(acts):
    """Subscribe, then take a snapshot: whatever the order of writes, flushes and joins, nothing is missing or double."""

    async def play() -> None:
        live, context, message = LiveText(3600), uuid7(), uuid7()
        readers: list[list[str]] = []
        written = ""
        live.open(context, message)
        live._flushing = asyncio.get_running_loop().create_future()  # flushed only where the example says so

        async def publish(pieces):
            for piece in pieces:
                for reader in readers:
                    have = sum(map(len, reader))
                    assert piece.offset == have
                    reader.append(piece.text)

        live.subscribe(publish)
        for act in acts:
            if act == "flush":
                await live.flush()
            elif act == "read":
                readers.append([live.snapshot(message) or ""])
            elif act:
                written += act
                live.append(message, act)
        await live.flush()
        assert all("".join(reader) == written for reader in readers)

    asyncio.run(play())
