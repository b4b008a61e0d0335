"""The server is killed in the middle of a flush, and comes again: each event counts once."""

import threading
from pathlib import Path

from tests.client.conftest import PATIENT, REQUEST, customer_at
from tests.client.killed import Web
from tests.servers import wait_for
from veloflux.context import Context
from veloflux_client import VeloFlux

NUMBER, KILLS = 10_000, 2


async def test_killing_the_server_while_events_are_on_their_way_loses_none_and_doubles_none(
    one_ctx: Context, standalone: str, tmp_path: Path
) -> None:
    web = Web(standalone, tmp_path, **PATIENT)
    with web.running():
        customer = await customer_at(web.url, one_ctx)
        client, ids, left = VeloFlux(web.url, customer.token), set[str](), list[int]()
        for _ in range(KILLS):
            ids |= {client.events.record(**REQUEST) for _ in range(NUMBER // KILLS)}
            flushing = threading.Thread(target=client.events.flush, args=(300,))
            flushing.start()
            wait_for(lambda: client.events.pending < NUMBER // KILLS, "the first batch")
            web.kill()
            left.append(client.events.pending)
            web.start()
            flushing.join()
        client.close()
        assert any(left), "it was not killed in the middle"
        assert (len(ids), customer.used()) == (NUMBER, NUMBER)
