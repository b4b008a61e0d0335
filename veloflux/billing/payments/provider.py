"""Who collects what a tenant is to pay."""

from veloflux.context import Context
from veloflux.kit.payments import PaymentProvider
from veloflux.tenants import Tenant


def payment_provider(ctx: Context, tenant: Tenant) -> PaymentProvider | None:
    """None: the tenant's invoices wait to be paid by hand."""
    return ctx.parts.sandbox_payments if tenant.mode == "sandbox" else None
