"""One of everything: people and tenants whose every value is a word that is nowhere else, and every key that there is.

A key that is new in the registry is to be made here, or `test_everything.py` fails: else nobody would know that it is
exported and erased.
"""

import contextlib
import re
from collections.abc import AsyncIterator
from typing import NamedTuple

import msgspec

from tests import cast, customers, whole_database
from tests.identity import links
from tests.identity.mails import work
from veloflux import identity, limits, tenants
from veloflux.context import Actor, Context
from veloflux.db import boot, keys
from veloflux.errors import CredentialsWrong
from veloflux.events import JobDied
from veloflux.kit import clock
from veloflux.kit.device import device
from veloflux.tenants import Tenant
from veloflux.transaction import Transaction
from veloflux.worker.schedule import fire_due
from veloflux.worker.tables import Schedule

NAME = "Quirina Plantada"
EMAIL = "quirina.plantada@exemplo.com.br"
OTHER_SPELLING = "Quirina.PLANTADA@Exemplo.com.br"
ADDRESS = "198.51.100.77"
AGENT = "QuirinasBrowser"
PERSON = (NAME, EMAIL, ADDRESS)
"""What is planted of the person and must be in the export; the last words of none of them may survive the erasure."""
TRACES = ("quirina", "plantada", ADDRESS, AGENT.lower())


class Planted(NamedTuple):
    """Quirina acts as `person`; she is admin at Acme, invited to Globex, and has been signed up by a link."""

    person: Context
    acme: Tenant
    globex: Tenant
    alice: Context
    kinds: set[str]


class Seen:
    """Which entries of the registry have existed at a moment at which somebody looked."""

    def __init__(self, ctx: Context) -> None:
        self.kinds: set[str] = set()
        self._ctx = ctx

    async def look(self) -> None:
        names = await whole_database.contents(self._ctx.db)
        unknown = [name for name in names if keys.entry_of(name) is None]
        assert unknown == []
        self.kinds |= {entry.name for name in names if (entry := keys.entry_of(name))}


async def plant(ctx: Context) -> Planted:
    """Make one of everything."""
    seen, scene = Seen(ctx), await cast.assemble(ctx)
    person = await _person(ctx, seen)
    acme = await cast.within(scene.alice, scene.acme)
    await cast.join(acme, person, "admin")
    globex = await cast.within(scene.carol, scene.globex)
    await tenants.invite(globex, OTHER_SPELLING, "viewer")
    await tenants.create_token(customers.of(ctx, scene.acme), ["usage:read"], subject="customer 7")
    await _dead_job(person, person.actor.person)
    await tenants.new_setup_link(ctx)
    await _lists_of_the_worker(ctx, scene.acme.id)
    await work(ctx)
    await seen.look()
    await _used(ctx, person, seen)
    return Planted(person, scene.acme, scene.globex, scene.alice, seen.kinds)


async def _person(ctx: Context, seen: Seen) -> Context:
    """Signs up, confirms the address, fails to sign in, forgets the password, and signs in."""
    nobody = ctx.acting(Actor(id="anonymous", address=ADDRESS, device=device(f"{AGENT}/1.0 (Linux)")))
    await identity.start_registration(nobody, name=NAME, email=EMAIL, password=cast.PASSWORD)
    await seen.look()
    await work(ctx)
    await identity.confirm_registration(nobody, await links.of_registration(ctx))
    with contextlib.suppress(CredentialsWrong):
        await identity.log_in(nobody, EMAIL, "not the password")
    await seen.look()
    await identity.start_registration(nobody, name=NAME, email=EMAIL, password=cast.PASSWORD)  # its owner is told
    await identity.request_password_reset(nobody, EMAIL)
    signed_in = await identity.log_in(nobody, EMAIL, cast.PASSWORD)
    elsewhere = msgspec.structs.replace(nobody.actor, device="Safari on iOS")
    await identity.log_in(nobody.acting(elsewhere), EMAIL, cast.PASSWORD)
    return cast.fresh(ctx).acting(signed_in.person.actor(ADDRESS))


async def _dead_job(ctx: Context, owner: str) -> None:
    tx = Transaction(ctx, owner)
    job = tx.enqueue("nothing", {}, run_at=clock.now_ms() + clock.DAY_MS)
    tx.event(JobDied(job=job, kind="nothing", attempts=8))
    await tx.commit()
    await ctx.db.call("HSET", keys.job(owner, job), "state", "dead")


async def _lists_of_the_worker(ctx: Context, tenant: str) -> None:
    """A schedule, an effect of another owner's event, and an owner that stands still."""
    await fire_due(ctx, {"nightly": Schedule("0 3 * * *", "UTC", "nothing")}, clock.now_ms())
    tx = Transaction(ctx, tenant)
    tx.once("ten_1", "1-1", "of a test")
    await customers_event(tx)
    await ctx.db.call("ZADD", keys.owners_stopped(), 1, "ten_0stopped")


async def customers_event(tx: Transaction) -> None:
    """Commit with an event that nobody listens to."""
    tx.event(JobDied(job="job_1", kind="nothing", attempts=8))
    await tx.commit()


async def _used(ctx: Context, person: Context, seen: Seen) -> None:
    """Somebody else's tenant, archived, with usage, keys and limits of addresses."""
    await boot.check(ctx.db, msgspec.structs.replace(ctx.settings, redis_unsafe=True))
    box = await customers.customer(ctx, "Box")
    await customers.put_policy(box, rates=(customers.rate(per="address"),))
    key = await customers.key(box)
    assert (await limits.check(ctx.parts, box.tenant, customers.asked(key, id_="1", address="203.0.113.9"))).allowed
    await tenants.archive_tenant(box)
    await seen.look()


async def text_of(pieces: AsyncIterator[bytes]) -> str:
    """An export as it is downloaded."""
    return b"".join([piece async for piece in pieces]).decode()


def traces_in(text: str) -> list[str]:
    """Which planted words are in a text, however they are written."""
    return [trace for trace in TRACES if re.search(re.escape(trace), text, re.IGNORECASE)]
