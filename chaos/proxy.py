"""A connection to PostgreSQL that can be cut at the worst moment: the commit is done, and its answer never comes.

A process of its own: beside the load it would wait for it, and every query of the product with it.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys

from bench.machine import ROOT

COMMIT_DONE = b"COMMIT\x00"  # CommandComplete
CHUNK = 64 * 1024


class Proxy:
    """How the harness starts it and tells it what to do."""

    def __init__(self, target: int) -> None:
        command = [sys.executable, "-m", "chaos.proxy", str(target)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._orders = self._process.stdin
        self.port = int(self._process.stdout.readline())

    def cut(self, answers: int) -> None:
        """So many answers to COMMIT are swallowed from now on, with their connection."""
        self._orders.write(f"{answers}\n".encode())
        self._orders.flush()

    def stop(self) -> None:
        self._orders.close()  # it ends with its orders
        self._process.wait()


class Passage:
    def __init__(self, target: int) -> None:
        self._target = target
        self.cut_next = 0

    async def serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
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


async def main(target: int) -> None:
    passage = Passage(target)
    server = await asyncio.start_server(passage.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while order := await asyncio.to_thread(sys.stdin.readline):
        passage.cut_next = int(order)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
