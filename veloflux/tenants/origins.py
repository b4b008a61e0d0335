"""Web origins, as browsers send them: scheme, host and port, written in one way.

A tenant lists those whose pages may use its API keys and tokens, exactly. People's sessions are for no page but the
console's.
"""

import re
from collections.abc import Sequence

import msgspec

from veloflux.context import Actor, Context
from veloflux.db import keys
from veloflux.errors import InputInvalid, OriginRefused
from veloflux.events import TenantOriginsSet
from veloflux.tenants.find import find
from veloflux.tenants.model import Tenant
from veloflux.transaction import Transaction, decide

ORIGINS_MAX = 20
ORIGIN_MAX = 260
HOST = r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?)*"
ORIGIN = re.compile(rf"https://{HOST}(?::\d{{1,5}})?|http://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{{1,5}})?")
USUAL_PORT = re.compile(r"^(https://.+):443$|^(http://.+):80$")


async def set_origins(ctx: Context, texts: Sequence[str]) -> Tenant:
    """Let pages of these origins use the tenant's API keys and tokens, from the next request on, and no others.

    :raises InputInvalid: one is no origin, or there are too many.
    """
    origins = checked(texts)
    return await decide(lambda: _set(ctx, origins))


def admit_page(actor: Actor, tenant: Tenant) -> None:
    """:raises OriginRefused: a page asks, and its origin is not listed by the tenant whose key or token it uses."""
    if actor.origin and (actor.tenant != tenant.id or actor.origin not in tenant.origins):
        raise OriginRefused("Pages of this origin may not use it; the tenant's settings list the origins that may")


def checked(texts: Sequence[str]) -> tuple[str, ...]:
    """Exact origins: https, or http of the own machine, for those who develop; each once.

    >>> checked(["https://App.Example:443", "http://localhost:5173", "https://app.example"])
    ('https://app.example', 'http://localhost:5173')

    :raises InputInvalid: one is none, or there are more than 20.
    """
    if len(texts) > ORIGINS_MAX:
        raise InputInvalid(f"There are at most {ORIGINS_MAX} origins", field="origins")
    return tuple(dict.fromkeys(map(_checked, texts)))


def _checked(text: str) -> str:
    origin = text.strip().lower()
    if len(origin) > ORIGIN_MAX or not ORIGIN.fullmatch(origin):
        raise InputInvalid(
            f"{text[:60]!r} is no origin; write https://app.example.com, or http://localhost:5173", field="origins"
        )
    usual = USUAL_PORT.match(origin)
    return usual[1] or usual[2] if usual else origin


async def _set(ctx: Context, origins: tuple[str, ...]) -> Tenant:
    old = await find(ctx, ctx.tenant)
    if old.origins == origins:
        return old
    tx = Transaction(ctx, old.id)
    changed = tx.change(keys.tenant(old.id), old, msgspec.structs.replace(old, origins=origins))
    tx.event(TenantOriginsSet(tenant=old.id))
    await tx.commit()
    return changed
