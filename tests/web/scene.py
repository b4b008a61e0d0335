"""Who asks over HTTP, and how an answer that refuses is looked at."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx2

from tests import cast, customers, whole_database
from tests.worker.working import nothing_due, until
from veloflux import tenants
from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.db.client import Db


class Scene(NamedTuple):
    """Bearer tokens by who has them, and contexts within Acme and Box; `key` and `revoked key` belong to Box."""

    tokens: dict[str, str]
    acme: Context
    box: Context

    def headers(self, actor: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens[actor]}"} if actor else {}


async def assemble(ctx: Context) -> Scene:
    """Alice owns Acme and Box, carol Globex; olivia is the operator."""
    members = await cast.assemble(ctx)
    await cast.operator(ctx)
    box = await tenants.create_tenant(members.alice, "Box", mode="sandbox")
    inside = customers.of(ctx, box)
    key, revoked, of_globex = [
        await customers.key(where) for where in (inside, inside, customers.of(ctx, members.globex))
    ]
    await tenants.revoke_api_key(inside, revoked.key.id)
    tokens = {name: await token(ctx, name) for name in ("alice", "carol", "olivia")}
    tokens |= {"key": key.token, "revoked key": revoked.token, "key of Globex": of_globex.token}
    tokens |= {"service key": await customers.service_key(ctx), "no key": key.token[:-1], "nobody": "0.0"}
    return Scene(tokens, customers.of(ctx, members.acme), inside)


async def token(ctx: Context, name: str) -> str:
    return (await cast.sign_in(ctx, name)).token


DONE_BY_WORKERS = f"{keys.tenant(PLATFORM)}:done:"
"""They begin the schedules of an empty database at a time of their own."""


@asynccontextmanager
async def unchanged(ctx: Context) -> AsyncIterator[None]:
    """Holds what is in the database afterwards against what was in it before."""
    await until(lambda: nothing_due(ctx))
    before = await documents(ctx.db)
    yield
    await until(lambda: nothing_due(ctx))
    after = await documents(ctx.db)
    changed = {k: (before.get(k), after.get(k)) for k in {*after, *before} if after.get(k) != before.get(k)}
    assert not changed, changed


async def documents(db: Db) -> dict[str, str]:
    """All that is kept, without what workers tell each other, how often anybody called, and when a session was seen or
    a key used."""
    found = await whole_database.settled(db)
    passing = (keys.workers(), keys.poll_lease(), "vf:pace:", f"{keys.tenant(PLATFORM)}:schedule:", DONE_BY_WORKERS)
    lasting = {key: value for key, value in found.items() if not key.startswith(passing)}
    return {key: "" if ":session:" in key else value for key, value in lasting.items()}


def problem(answer: httpx2.Response, status: int, code: str = "", of: object = "") -> dict[str, Any]:
    """The problem document that an answer is; `of` names what was asked."""
    assert answer.status_code == status, (of, answer.text)
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["request_id"] == answer.headers["x-request-id"]
    assert (told["status"], told["type"]) == (status, f"/problems/{told['code']}")
    assert not code or told["code"] == code, told
    assert told["detail"]
    assert not [sign for sign in ("Traceback", ".py", "veloflux.", "site-packages") if sign in answer.text]
    return told


def address(url: str) -> tuple[str, int]:
    host, port = url.removeprefix("http://").split(":")
    return host, int(port)
