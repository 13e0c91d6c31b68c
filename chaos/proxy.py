"""A connection to PostgreSQL that can be cut at the worst moment: the commit is done, and its answer never comes."""

from __future__ import annotations

import asyncio

COMMIT_DONE = b"COMMIT\x00"  # CommandComplete
CHUNK = 64 * 1024


class Proxy:
    def __init__(self, port: int) -> None:
        self._target = port
        self.cut_next = 0  # answers to COMMIT that are swallowed, with their connection
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        try:
            server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            to_client.close()
            return
        ways = [
            asyncio.create_task(self._pass(client, to_server, may_cut=False)),
            asyncio.create_task(self._pass(server, to_client, may_cut=True)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for writer in (to_client, to_server):
            writer.close()
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)

    async def _pass(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, *, may_cut: bool) -> None:
        while data := await source.read(CHUNK):
            if may_cut and self.cut_next and COMMIT_DONE in data:
                self.cut_next -= 1
                return
            to.write(data)
            await to.drain()
