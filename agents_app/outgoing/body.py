"""The body of an answer, unpacked in small pieces and counted, so that neither a flood nor a zip bomb fills the memory."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator

import httpcore
import httpx

from agents_app.outgoing.errors import BadAnswer, TooLarge, readable_errors

PIECE_BYTES = 64 * 1024
PLAIN = ("", "identity")
GZIP = ("gzip", "x-gzip")


class LimitedBody(httpx.AsyncByteStream):
    """Yields the unpacked body of `response`; raises `TooLarge` once more than `max_bytes` came in or out."""

    def __init__(self, response: httpcore.Response, host: str, max_bytes: float) -> None:
        self._response = response
        self._host = host
        self._max_bytes = max_bytes
        headers = httpx.Headers(response.headers)
        self._unpack = _unpacker(headers.get("content-encoding", "").strip().lower(), host)
        self._count(int(length) if (length := headers.get("content-length", "")).isdecimal() else 0)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        packed = unpacked = 0
        with readable_errors(self._host):
            async for data in self._response.aiter_stream():
                packed += len(data)
                self._count(packed)
                for piece in self._unpack(data):
                    unpacked += len(piece)
                    self._count(unpacked)
                    yield piece

    async def aclose(self) -> None:
        await self._response.aclose()

    def _count(self, size: int) -> None:
        if size > self._max_bytes:
            raise TooLarge(f"What {self._host} sends is larger than {_readable(self._max_bytes)}, the limit here.")


class _Gunzip:
    def __init__(self, host: str) -> None:
        self._host = host
        self._stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    def __call__(self, data: bytes) -> Iterator[bytes]:
        while data and not self._stream.eof:
            try:
                yield self._stream.decompress(data, PIECE_BYTES)
            except zlib.error:
                raise BadAnswer(f"What {self._host} sent is damaged.") from None
            data = self._stream.unconsumed_tail


def _unpacker(encoding: str, host: str) -> Callable[[bytes], Iterable[bytes]]:
    if encoding in GZIP:
        return _Gunzip(host)
    if encoding in PLAIN:
        return lambda data: (data,)
    raise BadAnswer(f"{host} answered in a compression that was not asked for ({encoding[:40]}).")


def _readable(size: float) -> str:
    return f"{size / 2**20:.3g} MiB" if size >= 2**20 else f"{size / 2**10:.3g} KiB"
