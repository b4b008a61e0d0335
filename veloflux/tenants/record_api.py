"""Routes of a tenant's record."""

from typing import Annotated

import msgspec
from litestar import get, patch
from msgspec import Meta

from veloflux import tenants
from veloflux.context import Context
from veloflux.tenants.api import TenantPath
from veloflux.tenants.record import RecordChange
from veloflux.tenants.shown import RecordShown

Text = Annotated[str, Meta(max_length=200)]


class ChangeRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is absent or null stays; an empty text takes it away; `metadata` replaces all of it."""

    legal_name: Annotated[Text, Meta(examples=["Semicomplete Tecnologia Ltda."])] | None = None
    tax_id: (
        Annotated[Text, Meta(examples=["12.ABC.345/01DE-35"], description="CNPJ, with letters too, or CPF")] | None
    ) = None
    billing_email: Annotated[str, Meta(max_length=254, examples=["finance@example.com"])] | None = None
    country: Annotated[Text, Meta(examples=["BR"], description="ISO 3166, two letters")] | None = None
    postal_code: Annotated[Text, Meta(examples=["01310-100"], description="In Brazil a CEP")] | None = None
    street: Annotated[Text, Meta(examples=["Avenida Paulista"])] | None = None
    number: Annotated[Text, Meta(examples=["1578"])] | None = None
    complement: Annotated[Text, Meta(examples=["Sala 12"])] | None = None
    district: Annotated[Text, Meta(examples=["Bela Vista"])] | None = None
    city: Annotated[Text, Meta(examples=["São Paulo"])] | None = None
    state: Annotated[Text, Meta(examples=["SP"], description="In Brazil its two letters")] | None = None
    industry: Annotated[Text, Meta(examples=["Software"])] | None = None
    region: Annotated[Text, Meta(examples=["Sudeste"])] | None = None
    metadata: dict[str, str] | None = None


@get(
    "/api/tenants/{tenant:str}/record",
    operation_id="tenants.show_record",
    permission="tenant:write",
    summary="Show a tenant's record",
    tags=["tenants"],
)
async def show_record(ctx: Context, tenant: TenantPath) -> RecordShown:
    return RecordShown.of(await tenants.read_record(ctx))


@patch(
    "/api/tenants/{tenant:str}/record",
    operation_id="tenants.change_record",
    permission="tenant:write",
    summary="Change a tenant's record",
    tags=["tenants"],
)
async def change_record(ctx: Context, tenant: TenantPath, data: ChangeRecord) -> RecordShown:
    change = msgspec.convert(data, RecordChange, from_attributes=True)
    return RecordShown.of(await tenants.change_record(ctx, change))


ROUTES = (show_record, change_record)
