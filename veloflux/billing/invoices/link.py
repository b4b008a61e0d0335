"""The link to the page of an invoice, for whoever pays it: no sign-in, and no end while the tenant is there.

Its token `<tenant>.<invoice>.<mac>` is derived from both ids under the installation's secret: nothing is stored of it,
and it always is the same. What is wrong about a token is not told.
"""

import re

from veloflux.billing.model import Invoice
from veloflux.context import Context, Secrets
from veloflux.errors import NotFound
from veloflux.kit import crypto, ids

MAC_DIGITS = 40
TOKEN = re.compile(r"([0-9a-z]{26})\.([0-9a-z]{26})\.([0-9a-f]{40})")
PATH = "/invoices"


def link_of(ctx: Context, invoice: Invoice) -> str:
    """The address of an invoice's page; "" as long as it has no number."""
    if not invoice.number:
        return ""
    return f"{ctx.settings.console_url}{PATH}/{token_of(ctx.parts.secrets, ctx.tenant, invoice.id)}"


def token_of(secrets: Secrets, tenant: str, invoice: str) -> str:
    """The token of a link; always the same."""
    return f"{ids.bare(tenant)}.{ids.bare(invoice)}.{_mac(secrets, tenant, invoice)}"


def parse(secrets: Secrets, token: str) -> tuple[str, str]:
    """Ids of the tenant and the invoice that a token was made for.

    :raises NotFound: we made no such token.
    """
    parsed = TOKEN.fullmatch(token)
    if parsed is None:
        raise nothing()
    tenant, invoice = f"ten_{parsed[1]}", f"inv_{parsed[2]}"
    if not crypto.equal(_mac(secrets, tenant, invoice), parsed[3]):
        raise nothing()
    return tenant, invoice


def nothing() -> NotFound:
    """The same for every token that opens nothing."""
    return NotFound("There is nothing at this address, or it is not yours to see")


def _mac(secrets: Secrets, tenant: str, invoice: str) -> str:
    return crypto.derive(secrets.of("link", "invoice"), tenant, invoice).hex()[:MAC_DIGITS]
