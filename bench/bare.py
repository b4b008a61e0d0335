"""A bare ASGI handler on Granian that makes one check script call with ready-made arguments: `python -m bench.bare`."""

import os
from typing import Any

from granian import Granian
from granian.constants import Interfaces, Loops

from veloflux import settings, wiring
from veloflux.limits import store
from veloflux.limits.frame import frame
from veloflux.limits.learn import learn
from veloflux.limits.model import Question
from veloflux.metering.known import known

ANSWER = b'{"allowed":true,"limit":4503599627370496,"used":1,"remaining":4503599627370495,"reset_at":1796094000000}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]


class Bare:
    """One script call a request, of the same keys and arguments as a check's, used until they are too old: so without
    an id, which would be another each time."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        await receive()
        answer = await self._parts.db.script(store.CHECK, self._names, self._args)
        if answer[0] != "PASSED":
            await self._prepare()
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": ANSWER})

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        async with wiring.build(settings.load()) as parts:
            self._parts = parts
            await self._prepare()
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _prepare(self) -> None:
        """Take the keys and arguments from real checks."""
        tenant, (key, digest) = os.environ["BENCH_TENANT"], os.environ["BENCH_KEY"].split()
        asked, state = Question(meter="requests", key=(key, digest)), known(tenant)
        answer = ["STALE"]
        while answer[0] != "PASSED":
            taken = frame(state, tenant, "requests")
            asking, rates = store.Asking(tenant, state, taken, asked), taken.rates_for(asked, state.rates_of(key))
            part, addresses = store.part_of(asking, None), state.addresses_for(key, "")
            self._names, self._args = store.check_of(self._parts, asking, rates, addresses, [part])
            answer = await self._parts.db.script(store.CHECK, self._names, self._args)
            if answer[0] != "PASSED":
                await learn(self._parts, asking, answer)


def create() -> Bare:
    return Bare()


if __name__ == "__main__":
    chosen = settings.load()
    Granian(
        "bench.bare:create",
        factory=True,
        address=chosen.host,
        port=chosen.port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        backlog=4096,
        log_enabled=False,
    ).serve()
