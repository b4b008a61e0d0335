"""A wire between client and server that can lose answers: what was asked happens, and nobody hears of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

CHUNK = 65_536


class Wire:
    """`lose` says how many chunks of answers are lost, each with its connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._tasks: set[asyncio.Task[None]] = set()
        self.lose = 0
        self.lost = 0

    async def carry(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection("127.0.0.1", self._port)
        ends = [to_client, to_server]
        await asyncio.gather(self._forward(client, to_server, ends), self._backward(server, to_client, ends))

    async def _forward(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, ends: list[asyncio.StreamWriter]
    ) -> None:
        while data := await source.read(CHUNK):
            to.write(data)
        _close(ends)

    async def _backward(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, ends: list[asyncio.StreamWriter]
    ) -> None:
        while data := await source.read(CHUNK):
            if self.lose:
                self.lose -= 1
                self.lost += 1
                break
            to.write(data)
        _close(ends)


@asynccontextmanager
async def wire(port: int) -> AsyncIterator[tuple[Wire, str]]:
    """A wire to a server on loopback, and the URL of its near end."""
    between = Wire(port)
    listener = await asyncio.start_server(between.carry, "127.0.0.1", 0)
    try:
        yield between, f"redis://127.0.0.1:{listener.sockets[0].getsockname()[1]}/0"
    finally:
        listener.close()
        await listener.wait_closed()


def _close(ends: list[asyncio.StreamWriter]) -> None:
    for end in ends:
        end.close()
