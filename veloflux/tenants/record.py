"""The rest of a tenant's record: who it is for the law and the post, and where its invoices go.

A document of its own, beside the tenant's: what may be a person's is not read by every request, and is sealed in the
trail with the record's own key.
"""

import msgspec

from veloflux.context import Context
from veloflux.db import keys
from veloflux.db.client import Db
from veloflux.errors import InputInvalid
from veloflux.events import TenantRecordChanged
from veloflux.identity import parse_email
from veloflux.kit import ids
from veloflux.tenants import key_terms, record_fields, store
from veloflux.tenants.find import find
from veloflux.tenants.life import closed
from veloflux.tenants.model import IN_USE, TenantRecord
from veloflux.transaction import Transaction, decide


class RecordChange(msgspec.Struct, frozen=True, kw_only=True):
    """None keeps what there is, "" takes it away; `metadata` replaces all of it."""

    legal_name: str | None = None
    tax_id: str | None = None
    billing_email: str | None = None
    country: str | None = None
    postal_code: str | None = None
    street: str | None = None
    number: str | None = None
    complement: str | None = None
    district: str | None = None
    city: str | None = None
    state: str | None = None
    industry: str | None = None
    region: str | None = None
    metadata: dict[str, str] | None = None


async def read_record(ctx: Context) -> TenantRecord:
    """The tenant's record; an empty one as long as nobody wrote it."""
    return await store.find_record(ctx.db, ctx.tenant) or TenantRecord(id="")


async def metadata_of(db: Db, tenant: str) -> dict[str, str]:
    """What operators noted of a tenant, by their own names."""
    record = await store.find_record(db, tenant)
    return record.metadata if record else {}


async def change_record(ctx: Context, change: RecordChange) -> TenantRecord:
    """Write what the change names.

    :raises InputInvalid: `field` says which. :raises TenantReadOnly: the tenant is archived or waits for its deletion.
    """
    return await decide(lambda: _change(ctx, change))


async def _change(ctx: Context, change: RecordChange) -> TenantRecord:
    tenant = await find(ctx, ctx.tenant)
    if tenant.status not in IN_USE:
        raise closed(tenant)
    old = await store.find_record(ctx.db, ctx.tenant)
    before = old or TenantRecord(id=ids.new("rec"))
    new = _checked(msgspec.structs.replace(before, **_named(change)))
    if new == before:
        return before
    tx = Transaction(ctx, ctx.tenant)
    tx.expect(keys.tenant(ctx.tenant), "status", tenant.status)
    if old:
        new = tx.change(keys.tenant_record(ctx.tenant), old, new)
    else:
        tx.create(keys.tenant_record(ctx.tenant), new)
    tx.event(TenantRecordChanged(tenant=ctx.tenant))
    await tx.commit()
    return new


def _named(change: RecordChange) -> dict[str, object]:
    return {name: value for name, value in msgspec.structs.asdict(change).items() if value is not None}


def _checked(record: TenantRecord) -> TenantRecord:
    country = record_fields.country(record.country)
    key_terms.check_metadata(record.metadata)
    return msgspec.structs.replace(
        record,
        **{name: record_fields.text(name, getattr(record, name)) for name in record_fields.TEXTS},
        tax_id=record_fields.tax_id(record.tax_id),
        billing_email=_billing_email(record.billing_email),
        country=country,
        postal_code=record_fields.postal_code(record.postal_code, country),
        state=record_fields.state(record.state, country),
    )


def _billing_email(text: str) -> str:
    try:
        return parse_email(text).text if text.strip() else ""
    except InputInvalid as error:
        raise InputInvalid(str(error), field="billing_email") from None
