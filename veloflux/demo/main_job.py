"""The main job on two hundred lines of a real access log, each step named by the command that does the same."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx2

from veloflux import audit, exports, metering, tenants
from veloflux.context import Context
from veloflux.demo import EXCERPT
from veloflux.errors import NotFound
from veloflux.kit import crypto
from veloflux.metering import access_log
from veloflux.terminal import out

NAME, SLUG = "Semicomplete", "semicomplete"
CHECKS = 3
WIDTH = 40
Made = TypeVar("Made")


async def create_operator(ctx: Context, setup_token: str) -> None:
    """The operator's account from the one-time link, and a session of it."""
    account = {"email": "demo@example.com", "password": crypto.new_secret()}
    out.print("[bold]POST /api/auth/operator, POST /api/auth/login[/bold]")
    async with httpx2.AsyncClient(base_url=ctx.settings.console_url) as client:
        await client.post("/api/auth/operator", json={"token": setup_token, "name": "Demo", **account})
        answer = await client.post("/api/auth/login", json=account)
    out.print(f"  {answer.status_code}, signed in as {answer.json()['person']['email']}", highlight=False)


async def run(ctx: Context) -> None:
    """Tenant, key, import, chart, trail, export, check."""
    tenant = await _step(f'veloflux tenants create "{NAME}" --plan pro', _tenant, ctx)
    ctx = ctx.within(tenants.scope_of(tenant), tenants.ROLES["operator"])
    created = await _step(f"veloflux api-keys create --tenant {SLUG} --name demo", _key, ctx)
    await _step(f"veloflux usage import {EXCERPT.name} --tenant {SLUG}", _import, ctx)
    await _step(f"veloflux usage show --tenant {SLUG}", _chart, ctx)
    await _step(f"veloflux audit list --tenant {SLUG}", _trail, ctx)
    await _step(f"veloflux usage export --tenant {SLUG} --format csv", _export, ctx)
    out.print("[bold]POST /api/check[/bold]")
    async with httpx2.AsyncClient(base_url=ctx.settings.console_url) as client:
        for number in range(1, CHECKS + 1):
            await _check(client, created, number)


async def _step(command: str, act: Callable[[Context], Awaitable[Made]], ctx: Context) -> Made:
    out.print(f"[bold]{command}[/bold]", highlight=False)
    return await act(ctx)


async def _tenant(ctx: Context) -> tenants.Tenant:
    try:
        tenant = await tenants.find(ctx, SLUG)
        out.print(f"  {tenant.id} is there already", highlight=False)
    except NotFound:
        tenant = await tenants.create_tenant(ctx, NAME, slug=SLUG, plan="pro")
        out.print(f"  {tenant.id}", highlight=False)
    return tenant


async def _key(ctx: Context) -> tenants.NewApiKey:
    created = await tenants.create_api_key(ctx, "demo")
    out.print(f"  {created.token}", highlight=False)
    return created


async def _import(ctx: Context) -> None:
    with EXCERPT.open("rb") as file:
        report = await metering.import_log(ctx, access_log.lines(file))
    out.print(
        f"  {report.read} lines read, {report.recorded} recorded, {report.duplicates} known, {report.bytes:,} bytes"
    )


async def _chart(ctx: Context) -> None:
    usage = await metering.read_usage(ctx, "requests")
    longest = max(int(row.value) for row in usage.rows)
    for row in usage.rows:
        out.print(f"  {row.start} {'█' * round(WIDTH * int(row.value) / longest)} {row.value}", highlight=False)


async def _trail(ctx: Context) -> None:
    for entry in (await audit.list_trail(ctx)).items:
        out.print(f"  {entry.actor} {entry.name}", highlight=False)


async def _export(ctx: Context) -> None:
    text = b"".join([part async for part in exports.export_usage(ctx, "csv")]).decode()
    out.print("  " + text.strip().replace("\n", "\n  "), highlight=False)


async def _check(client: httpx2.AsyncClient, created: tenants.NewApiKey, number: int) -> None:
    asked = {"meter": "requests", "cost": 1, "id": f"{created.key.id}-{number}"}
    answer = await client.post("/api/check", json=asked, headers={"authorization": f"Bearer {created.token}"})
    out.print(f"  {answer.status_code} {answer.text}", highlight=False, soft_wrap=True)
