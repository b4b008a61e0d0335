"""Routes by which a person takes all their data along or is erased, and an owner takes a tenant's along."""

from typing import Annotated

import msgspec
from litestar import delete, get, post
from litestar.response import Stream
from msgspec import Meta

from veloflux import personal_data
from veloflux.context import Context
from veloflux.identity.passwords import LENGTH_MAX
from veloflux.kit.http import inlined_schema
from veloflux.personal_data.export import Record

OWN = "/api/auth/personal-data"
OF_TENANT = "/api/tenants/{tenant}/export"
CONTENT = {"application/json": {"schema": inlined_schema(list[Record])}}
PRESENT_PASSWORD = Meta(max_length=LENGTH_MAX, examples=["correct horse battery staple"])


class PresentPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    current: Annotated[str, PRESENT_PASSWORD]


class Erasure(msgspec.Struct, frozen=True):
    """In epoch ms; None: there is no wish to be erased."""

    erase_at: int | None


@post(
    OWN,
    operation_id="auth.personal_data",
    access="person",
    summary="Take along everything about me",
    tags=["auth"],
    status_code=200,
)
async def export_own(ctx: Context, data: PresentPassword) -> Stream:
    """One record for each key, event and message; what the trail has sealed is shown, secrets are left out."""
    return download(await personal_data.export_own(ctx, data.current), "personal-data")


@post(
    "/api/auth/erasure",
    operation_id="auth.erase",
    access="person",
    summary="Have me erased, after some days of grace",
    tags=["auth"],
    status_code=202,
)
async def request_erasure(ctx: Context, data: PresentPassword) -> Erasure:
    """Until then I can sign in and take it back. Refused to the last owner of a tenant and to the last operator."""
    user = await personal_data.request_own_erasure(ctx, data.current)
    return Erasure(user.erase_at)


@delete(
    "/api/auth/erasure",
    operation_id="auth.keep",
    access="person",
    summary="Take back the wish to be erased",
    tags=["auth"],
    status_code=200,
)
async def cancel_erasure(ctx: Context) -> Erasure:
    """Without such a wish nothing changes."""
    user = await personal_data.cancel_erasure(ctx, ctx.actor.person)
    return Erasure(user.erase_at)


@get(
    OF_TENANT.replace("{tenant}", "{tenant:str}"),
    operation_id="tenants.export",
    permission="tenant:close",
    summary="Take along everything of a tenant",
    tags=["tenants"],
)
async def export_tenant(ctx: Context, tenant: str) -> Stream:
    """One record for each key and event of the tenant, for its owners; secrets are left out."""
    assert ctx.scope
    return download(personal_data.export_tenant(ctx), ctx.scope.slug)


def download(pieces: object, name: str) -> Stream:
    """An export as a file that no cache keeps."""
    headers = {
        "content-type": "application/json",
        "content-disposition": f'attachment; filename="{name}.json"',
        "cache-control": "no-store",
    }
    return Stream(pieces, headers=headers)  # type: ignore[arg-type]


ROUTES = (export_own, request_erasure, cancel_erasure, export_tenant)
