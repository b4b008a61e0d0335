"""Routes of a tenant's API keys."""

from typing import Annotated

import msgspec
from litestar import delete, get, post
from msgspec import Meta

from veloflux import tenants
from veloflux.context import Context
from veloflux.kit import clock, page
from veloflux.kit.page import Page
from veloflux.plans.catalogue import Rate
from veloflux.tenants import key_terms
from veloflux.tenants.api import Limit, TenantPath
from veloflux.tenants.api_keys import NAME_MAX, OVERLAP_MAX_S
from veloflux.tenants.model import KeyKind, KeyTerms
from veloflux.tenants.origins import ORIGINS_MAX
from veloflux.tenants.shown import ApiKeyCreated, ApiKeyShown, LeakedKeyShown

KeyExpiry = Annotated[
    int,
    Meta(ge=clock.EARLIEST, lt=clock.LATEST, description="Epoch ms, by the real clock", examples=[1_900_000_000_000]),
]
KeyPermissions = Annotated[
    list[Annotated[str, Meta(max_length=40)]],
    Meta(max_length=100, description="Some of the role's permissions; null: all", examples=[["usage:write"]]),
]


class CreateApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=NAME_MAX, examples=["production server"])]
    role: Annotated[str, Meta(max_length=40, description="Empty: member, and operator in the platform's tenant")] = ""
    kind: Annotated[KeyKind, Meta(description="Publishable: for pages; it may record events, and nothing else")] = (
        "secret"
    )
    permissions: KeyPermissions | None = None
    expires_at: KeyExpiry | None = None
    addresses: Annotated[
        list[Annotated[str, Meta(max_length=64)]],
        Meta(
            max_length=key_terms.ADDRESSES_MAX,
            description="IP networks that calls may come from; empty: all",
            examples=[["203.0.113.0/24"]],
        ),
    ] = []
    origins: Annotated[
        list[Annotated[str, Meta(max_length=260)]],
        Meta(
            max_length=ORIGINS_MAX,
            description="Pages that may use a publishable key; empty: all",
            examples=[["https://app.example.com"]],
        ),
    ] = []
    metadata: Annotated[dict[str, str], Meta(max_length=key_terms.METADATA_MAX, examples=[{"team": "web"}])] = (
        msgspec.field(default_factory=dict)
    )
    rates: Annotated[
        list[Rate],
        Meta(
            max_length=key_terms.RATES_MAX,
            description="Limits of this key alone, beside those of the plan",
            examples=[[{"name": "slow", "meter": "requests", "limit": "60/min"}]],
        ),
    ] = []

    @property
    def terms(self) -> KeyTerms:
        own = None if self.permissions is None else tuple(self.permissions)
        return KeyTerms(
            permissions=own,
            expires_at=self.expires_at,
            addresses=tuple(self.addresses),
            origins=tuple(self.origins),
            metadata=self.metadata,
            rates=tuple(self.rates),
        )


class RotateApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    overlap_s: Annotated[
        int,
        Meta(ge=0, le=OVERLAP_MAX_S, description="Seconds that the old secret works on; 0: none", examples=[86_400]),
    ] = 0


class RevokeLeakedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    prefix: Annotated[str, Meta(max_length=80, description="How the key begins, as lists show it, or the whole key")]


@post(
    "/api/tenants/{tenant:str}/api-keys",
    operation_id="api_keys.create",
    permission="api_keys:write",
    summary="Create an API key",
    tags=["api-keys"],
    status_code=201,
)
async def create_api_key(ctx: Context, tenant: TenantPath, data: CreateApiKey) -> ApiKeyCreated:
    return ApiKeyCreated.of(await tenants.create_api_key(ctx, data.name, data.role, data.terms, data.kind))


@post(
    "/api/tenants/{tenant:str}/api-keys/{key:str}/rotate",
    operation_id="api_keys.rotate",
    permission="api_keys:write",
    summary="Rotate an API key: a successor with the same terms",
    tags=["api-keys"],
    status_code=201,
)
async def rotate_api_key(ctx: Context, tenant: TenantPath, key: str, data: RotateApiKey) -> ApiKeyCreated:
    """The key that is rotated works until the overlap is over. A key is rotated once; then rotate its successor."""
    return ApiKeyCreated.of(await tenants.rotate_api_key(ctx, key, data.overlap_s))


@get(
    "/api/tenants/{tenant:str}/api-keys",
    operation_id="api_keys.list",
    permission="api_keys:read",
    summary="List API keys",
    tags=["api-keys"],
)
async def list_api_keys(
    ctx: Context, tenant: TenantPath, cursor: str = "", limit: Limit = page.LIMIT
) -> Page[ApiKeyShown]:
    found = await tenants.list_api_keys(ctx, cursor, limit)
    return Page([ApiKeyShown.of(key) for key in found.items], found.next)


@delete(
    "/api/tenants/{tenant:str}/api-keys/{key:str}",
    operation_id="api_keys.revoke",
    permission="api_keys:write",
    summary="Revoke an API key",
    tags=["api-keys"],
)
async def revoke_api_key(ctx: Context, tenant: TenantPath, key: str) -> None:
    await tenants.revoke_api_key(ctx, key)


@post(
    "/api/api-keys/revoke",
    operation_id="api_keys.revoke_leaked",
    platform="api_keys:write",
    summary="Revoke a leaked API key of any tenant, by its beginning",
    tags=["api-keys"],
    status_code=200,
)
async def revoke_leaked_key(ctx: Context, data: RevokeLeakedKey) -> LeakedKeyShown:
    return LeakedKeyShown.of(await tenants.revoke_leaked_key(ctx, data.prefix))


ROUTES = (create_api_key, rotate_api_key, list_api_keys, revoke_api_key, revoke_leaked_key)
