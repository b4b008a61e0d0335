"""Whom an invoice is made out to: the tenant's record as it was then, sealed beside what can no longer change.

The erasure of a tenant destroys the key, and leaves the invoices without a name.
"""

import msgspec

from veloflux.billing.basis import Basis
from veloflux.billing.model import Invoice
from veloflux.context import Context
from veloflux.kit import crypto
from veloflux.kit.fiscal import Party


async def sealed(ctx: Context, basis: Basis) -> str:
    """The buyer as an invoice keeps it; "" once the tenant's key is destroyed."""
    key = await ctx.parts.data_keys.get(ctx.tenant, ctx.tenant)
    if key is None:
        return ""
    return crypto.seal(key, msgspec.json.encode(recorded(basis)).decode())


def recorded(basis: Basis) -> Party:
    """The buyer as the tenant's record has it now."""
    record = basis.record
    same = {name: getattr(record, name) for name in Party.__struct_fields__ if name not in ("name", "email")}
    return Party(name=record.legal_name or basis.tenant.name, email=record.billing_email, **same)


async def opened(ctx: Context, invoice: Invoice) -> Party:
    """The buyer of an invoice; nobody, after the erasure."""
    key = await ctx.parts.data_keys.current(ctx.tenant, ctx.tenant) if invoice.buyer else None
    text = crypto.unseal(key, invoice.buyer) if key else None
    return msgspec.json.decode(text, type=Party) if text else Party()
