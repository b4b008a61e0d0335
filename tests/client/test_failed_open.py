"""What the client gets from a VeloFlux whose Redis stands still, for a tenant that fails open."""

import json
import os
import re
import signal
from pathlib import Path

import httpx2

from tests import servers
from tests.client.conftest import customer_at
from tests.conftest import parts_on
from tests.web.conftest import serving
from veloflux import tenants
from veloflux.context import Actor, Context
from veloflux.db import client as db_client
from veloflux_client import VeloFlux
from veloflux_client.protocol import Answer, read_decision

TOLD = {"allowed": True, "limit": None, "used": None, "remaining": None, "reset_at": None, "failed_open": True}


def test_what_the_tenants_setting_lets_pass_says_so_and_why() -> None:
    decision = read_decision(Answer(200, {}, json.dumps(TOLD).encode()), "request-1")
    assert (decision.allowed, decision.failed, decision.used, decision.fields) == (True, "open", None, {})
    assert "uncounted" in decision.reason


async def test_it_passes_and_is_counted_as_passed_undecided(tmp_path: Path) -> None:
    with servers.standalone() as server, serving(server.url, tmp_path, {}) as url:
        db = await db_client.connect(server.url)
        customer = await customer_at(url, Context(parts=parts_on(db, tmp_path), actor=Actor(id="cli:test")))
        await tenants.set_failure_policy(customer.ctx, True)
        await db.close()
        with VeloFlux(url, customer.token) as client:
            while client.check("requests", timeout_s=20).used is None:  # a busy machine may take its time
                pass
            os.kill(server.process.pid, signal.SIGSTOP)
            decision = client.check("requests", timeout_s=20)
            os.kill(server.process.pid, signal.SIGCONT)
        assert (decision.allowed, decision.failed, decision.used) == (True, "open", None)
        counted = re.search(
            r"^veloflux_checks_failed_open_total (\S+)$", httpx2.get(f"{url}/metrics", timeout=30).text, re.MULTILINE
        )
        assert counted
        assert float(counted[1]) >= 1
