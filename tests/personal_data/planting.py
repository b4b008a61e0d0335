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
from tests.billing import brazil
from tests.identity import links
from tests.identity.apps import App
from tests.identity.authenticator import Authenticator
from tests.identity.mails import work
from tests.ledger.books import life
from tests.metering.counting import EVERY_METER, job
from tests.tenants import signing_in
from tests.tenants.lying_provider import SECRET, lying
from tests.tenants.test_platform_roles import ruling
from tests.worker.working import until
from veloflux import identity, limits, metering, tenants, users
from veloflux.billing.arithmetic.withholding import Withholding
from veloflux.billing.payments.sandbox import SandboxPayments
from veloflux.billing.profile import ProfileTerms, set_profile
from veloflux.billing.spend.limits import SpendLimits, limit_spend
from veloflux.billing.subscriptions.change import ChangeSubscription, change
from veloflux.billing.subscriptions.items import ItemsInvoice, OneOff, invoice_items
from veloflux.billing.subscriptions.start import Start, start
from veloflux.billing.wallet.credit import TopUp, top_up
from veloflux.context import Actor, Context
from veloflux.db import boot, keys
from veloflux.errors import CredentialsWrong, SecondFactorRequired
from veloflux.events import JobDied
from veloflux.identity import oidc
from veloflux.kit import clock, ids
from veloflux.kit.device import device
from veloflux.kit.http import Received
from veloflux.ledger.store import keep_check
from veloflux.limits.credits import grant_credit
from veloflux.limits.grant import Terms
from veloflux.limits.overrides import set_override
from veloflux.metering.ingest import ingest
from veloflux.plans import Override, catalogue
from veloflux.tenants import Tenant
from veloflux.transaction import Transaction
from veloflux.worker.schedule import fire_due
from veloflux.worker.tables import Schedule

NAME = "Quirina Plantada"
EMAIL = "quirina.plantada@exemplo.com.br"
OTHER_SPELLING = "Quirina.PLANTADA@Exemplo.com.br"
ADDRESS = "198.51.100.77"
AGENT = "QuirinasBrowser"
NEW_EMAIL, WANTED_EMAIL = "quirina@plantada.example", "plantada.quirina@elsewhere.example"
PASSKEY, REASON = "Quirina's phone", "Plantada cannot see her bills"
PERSON = (NAME, EMAIL, NEW_EMAIL, PASSKEY, REASON, ADDRESS)
"""What is planted of the person and must be in the export; the last words of none of them may survive the erasure."""
ROLE = "seller"
TRACES = ("quirina", "plantada", ADDRESS, AGENT.lower())


class Planted(NamedTuple):
    """Quirina acts as `person`, by `token`; she is admin at Acme, whose provider knows her, invited to Globex with a
    role of its own, and has been signed up by a link. `secrets` are what nobody but her may read."""

    person: Context
    token: str
    acme: Tenant
    globex: Tenant
    alice: Context
    kinds: set[str]
    secrets: tuple[str, ...]


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
    ctx = _unhurried(ctx)
    seen, scene = Seen(ctx), await cast.assemble(ctx)
    person, token = await _person(ctx, seen)
    acme = await cast.within(scene.alice, scene.acme)
    await cast.join(acme, person, "admin")
    await tenants.create_role(await cast.within(scene.carol, scene.globex), ROLE, ("tenant:read",))
    globex = await cast.within(scene.carol, scene.globex)
    await tenants.invite(globex, OTHER_SPELLING, ROLE)
    await tenants.create_token(customers.of(ctx, scene.acme), ["usage:read"], subject="customer 7")
    await _dead_job(person, person.actor.person)
    await tenants.new_setup_link(ctx)
    await _lists_of_the_worker(ctx, scene.acme.id)
    await work(ctx)
    await seen.look()
    await _used(ctx, seen)
    await _known_to_a_provider(ctx, scene, person, seen)
    await _another_address(ctx, person)
    secrets = await _second_factors(ctx, person, seen)
    await users.impersonate(await ruling(ctx), person.actor.person, REASON)
    await work(ctx)
    await seen.look()
    return Planted(person, token, scene.acme, scene.globex, scene.alice, seen.kinds, secrets)


def _unhurried(ctx: Context) -> Context:
    """As on a slow machine: checks may wait, and the count of an address's calls stays until it is looked at."""
    settings = msgspec.structs.replace(ctx.settings, check_timeout_ms=20_000, address_pace="1/h")
    return msgspec.structs.replace(ctx, parts=msgspec.structs.replace(ctx.parts, settings=settings))


async def _person(ctx: Context, seen: Seen) -> tuple[Context, str]:
    """Calls, signs up, confirms the address, fails to sign in, forgets the password, and signs in."""
    nobody = ctx.acting(Actor(id="anonymous", address=ADDRESS, device=device(f"{AGENT}/1.0 (Linux)")))
    await identity.admit_address(ctx.parts, ADDRESS)
    await seen.look()
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
    return cast.fresh(ctx).acting(signed_in.person.actor(ADDRESS)), signed_in.token


async def _known_to_a_provider(ctx: Context, scene: cast.Cast, person: Context, seen: Seen) -> None:
    """Acme's provider knows the person, and by another subject somebody whose link was not opened."""
    acme = await cast.within(scene.alice, scene.acme)
    oidc.forget()
    with lying() as provider:
        at = signing_in.Company(signing_in.open_to_loopback(ctx), scene, acme, provider)
        domains = (EMAIL.partition("@")[2],)
        at_loopback = signing_in.open_to_loopback(acme)
        await tenants.set_oidc(at_loopback, signing_in.terms(provider, domains=domains), SECRET)
        assert await signing_in.come(at, sub="quirina", email=EMAIL, name=NAME) is None
        await tenants.confirm_oidc_link(person, await signing_in.link_of(at))
        assert await signing_in.come(at, sub="plantada", email=OTHER_SPELLING, name=NAME) is None
        await seen.look()


async def _another_address(ctx: Context, person: Context) -> None:
    """The person changes the address, and wants yet another one."""
    await identity.request_email_change(person, NEW_EMAIL, cast.PASSWORD)
    for token in await links.of_email_change(ctx, person.actor.person):
        await identity.confirm_email_change(person, token)
    await work(ctx)
    await identity.request_email_change(person, WANTED_EMAIL, cast.PASSWORD)
    await work(ctx)


async def _second_factors(ctx: Context, person: Context, seen: Seen) -> tuple[str, ...]:
    """An app, its recovery codes, a passkey, and a sign-in that waits for one of them."""
    enrolment = await identity.enrol_totp(person)
    await seen.look()
    codes = await identity.confirm_totp(person, App(enrolment.secret).code())
    proved = person.acting(msgspec.structs.replace(person.actor, factors=("password", "totp")))
    phone = Authenticator(ctx.settings.console_url)
    await identity.add_passkey(proved, PASSKEY, phone.create(await identity.begin_passkey(proved)))
    with contextlib.suppress(SecondFactorRequired):
        await identity.log_in(cast.fresh(ctx), NEW_EMAIL, cast.PASSWORD)
    await seen.look()
    return (enrolment.secret, *codes)


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


async def _used(ctx: Context, seen: Seen) -> None:
    """Somebody else's tenant, archived, with a record, usage, keys and limits of addresses."""
    await tenants.apply_catalogue(ctx, msgspec.structs.replace(catalogue(), plans=catalogue().plans[:2]))
    await boot.check(ctx.db, msgspec.structs.replace(ctx.settings, redis_unsafe=True))
    box = await customers.customer(ctx, "Box")
    await set_override(box, Override(kind="quota", name="requests", value=50_000))
    await customers.put_policy(box, rates=(customers.rate(per="address"),))
    await grant_credit(box, Terms(meter="requests", amount=5, recurrence="month"))
    key = await customers.key(box)
    assert (await limits.check(ctx.parts, box.tenant, customers.asked(key, id_="1", address="203.0.113.9"))).allowed
    await limits.reserve(ctx.parts, box.tenant, limits.Question(meter="requests"))
    await tenants.change_record(box, tenants.RecordChange(legal_name="Box Ltda."))
    page = await tenants.create_api_key(box, "page", "", tenants.KeyTerms(), "publishable")
    await tenants.authenticate_publishable_key(ctx.parts, page.token, "203.0.113.9", "")
    event = Received(key.token, b'{"type": "http.request", "id": "2", "data": {"bytes": 1}}', b"", "203.0.113.9")
    await ingest(ctx.parts, event)
    await until(lambda: ctx.db.call("EXISTS", keys.raw(box.tenant)))
    await _counted(box)
    await _billed(box)
    await life(box)
    await brazil.planted(box)
    await keep_check(ctx.db, {"at": 1, "tenants": 1, "postings": 0, "drift": 0})
    await tenants.archive_tenant(box)
    await seen.look()


async def _billed(box: Context) -> None:
    """A subscription that reached an alert and went down to a plan for nothing, so that a credit note gives back what
    was paid."""
    sub = await start(box, Start(plan="pro"))
    await limit_spend(box, sub.id, SpendLimits(alerts=(1,)))
    await change(box, sub.id, ChangeSubscription(plan="free", when="now"))
    await set_profile(box, ProfileTerms(withholdings=(Withholding(name="IRRF", percent="1.5"),)))
    items = (OneOff(name="Training", price="1000"),)
    invoice = await invoice_items(box, ItemsInvoice(items=items, currency="USD"))
    await top_up(box, TopUp(amount=500, currency="USD", reference="E1"))
    await SandboxPayments(box.db).charge(box.tenant, ids.new("chg"), invoice.id, invoice.due, invoice.currency)
    await box.db.call("ZADD", keys.overdue(box.tenant), customers.NOON, invoice.id)


async def _counted(box: Context) -> None:
    """Events of every aggregation, one before a period was closed, and a quota that a check has opened."""
    await customers.put_policy(box, meters=EVERY_METER, billed=("count",), cuts=(customers.NOON - customers.DAY,))
    await box.db.call("HSET", keys.limits(box.tenant), "closed_through", customers.NOON)
    await box.db.call("HSET", keys.counted(box.tenant, "count", "life"), "sum", 0)
    for listed in (keys.near_limits(), keys.near_limits_ends()):
        await box.db.call("ZADD", listed, 4_000_000_000_000, keys.near_member(box.tenant, "count", "life"))
    jobs = [job(f"job {n}", customers.NOON - n, n, region="eu") for n in range(2)]
    result = await metering.record(box.parts, box.tenant, jobs)
    assert (result.accepted, result.rejected) == (2, ()), result


async def text_of(pieces: AsyncIterator[bytes]) -> str:
    """An export as it is downloaded."""
    return b"".join([piece async for piece in pieces]).decode()


def traces_in(text: str) -> list[str]:
    """Which planted words are in a text, however they are written."""
    return [trace for trace in TRACES if re.search(re.escape(trace), text, re.IGNORECASE)]
