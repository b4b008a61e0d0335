"""`python -m bench.link <port> <ms>`: a link to a server on loopback that delays each way, as one to another data
centre does. It prints the port of its near end. What is under way when it is killed is lost.
"""

import asyncio
import sys

CHUNK = 65_536


async def _run(port: int, delay_s: float) -> None:
    async def carry(near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        far, to_far = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_delayed(near, to_far, delay_s), _delayed(far, to_near, delay_s))

    listener = await asyncio.start_server(carry, "127.0.0.1", 0)
    sys.stdout.write(f"{listener.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await listener.serve_forever()


async def _delayed(source: asyncio.StreamReader, to: asyncio.StreamWriter, delay_s: float) -> None:
    while data := await source.read(CHUNK):
        asyncio.get_running_loop().call_later(delay_s, to.write, data)
    to.close()


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1]), float(sys.argv[2]) / 1000))
