"""A fiscal document is followed until it is issued or cancelled: the provider is asked, and again after longer pauses.

Exactly one for each invoice, whatever crashes: its id follows from the invoice, the provider is asked what it knows of
that id before it is told to issue, and the commit of an answer expects the document that was read.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from veloflux.billing import agenda, store
from veloflux.billing.agenda import Item
from veloflux.billing.basis import read_basis
from veloflux.billing.fiscal.document import Silent, declaration, followed
from veloflux.billing.fiscal.files import keep_xml, provider_of
from veloflux.billing.fiscal.model import FiscalDocument
from veloflux.billing.fiscal.requests import KIND
from veloflux.billing.invoices import buyer
from veloflux.billing.states import ISSUING, UNDER_WAY
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import FiscalProviderAway
from veloflux.kit import clock
from veloflux.kit.fiscal import Accepted, Answer, Cancelled, Declaration, FiscalProvider, Party, Processing, Rejected
from veloflux.transaction import Transaction


async def follow_document(ctx: Context, item: Item) -> None:
    """What is due about a fiscal document that waits for an answer."""
    document = await store.find_fiscal(ctx.db, ctx.tenant, item.subject)
    if document is None or document.next_at != item.due or document.status not in UNDER_WAY:
        due = document.next_at if document else None
        await agenda.correct(ctx, item, due, keys.fiscal(ctx.tenant, item.subject), document)
        return
    answer, xml = await _asked(ctx, document)
    after, event = followed(document, answer, _now(ctx))
    tx = Transaction(ctx, ctx.tenant)
    tx.change(keys.fiscal(ctx.tenant, document.invoice), document, after)
    _plan(ctx, tx, item, after)
    if xml:
        await keep_xml(ctx, tx, document.invoice, xml)
    tx.event(event)
    await tx.commit()


def _plan(ctx: Context, tx: Transaction, item: Item, document: FiscalDocument) -> None:
    if document.next_at is None:
        agenda.take(tx, KIND, item.subject)
    else:
        agenda.put(ctx, tx, item._replace(due=document.next_at))


async def _asked(ctx: Context, document: FiscalDocument) -> tuple[Answer | Silent | None, bytes]:
    """What the provider answers, and the XML of what it has just issued: without that, it has not answered."""
    try:
        provider = provider_of(ctx)
        answer = await STEPS[document.status](ctx, provider, document)
        done = isinstance(answer, Accepted) and document.status in ISSUING
        return answer, await provider.xml(document.id) if done else b""
    except FiscalProviderAway as error:
        return Silent(str(error)), b""


async def _issue(ctx: Context, provider: FiscalProvider, document: FiscalDocument) -> Answer:
    known = await provider.status(document.id)
    if known is None or isinstance(known, Rejected):
        return await provider.issue(document.id, await _declaration(ctx, document))
    return known


async def _look(_ctx: Context, provider: FiscalProvider, document: FiscalDocument) -> Answer | None:
    return await provider.status(document.id)


async def _cancel(ctx: Context, provider: FiscalProvider, document: FiscalDocument) -> Answer | None:
    """What the provider does not know is asked for twice: what another worker sent may still be on its way."""
    known = await provider.status(document.id)
    match known:
        case Accepted() if document.issued_at is not None:
            return await _take_back(ctx, provider, document)
        case Rejected():
            return None
        case None if not document.attempts:
            return Processing()
    return known


async def _take_back(
    ctx: Context, provider: FiscalProvider, document: FiscalDocument
) -> Cancelled | Rejected | Processing:
    """It may refuse because another worker has cancelled it meanwhile."""
    answer = await provider.cancel(document.id, document.cancel_reason, _now(ctx))
    if isinstance(answer, Rejected):
        known = await provider.status(document.id)
        return known if isinstance(known, Cancelled) else answer
    return answer


STEPS: Mapping[str, Callable[[Context, FiscalProvider, FiscalDocument], Awaitable[Answer | None]]] = MappingProxyType(
    {"waiting": _issue, "processing": _look, "cancelling": _cancel}
)


async def _declaration(ctx: Context, document: FiscalDocument) -> Declaration:
    invoice, basis = await store.invoice(ctx, document.invoice), await read_basis(ctx)
    named = buyer.recorded(basis) if document.from_record else await buyer.opened(ctx, invoice)
    seller = Party(
        name=ctx.settings.seller_name, tax_id=ctx.settings.seller_tax_id, email=ctx.settings.seller_email, country="BR"
    )
    services = {plan.id: plan.service for plan in basis.catalogue.plans}
    return declaration(invoice, seller, named, services)


def _now(ctx: Context) -> int:
    """By a tenant's clock that was set, the time at which it is due. By the real one, the time that it is, however late
    that is: pauses that lie in the past would be none, and soon used up."""
    assert ctx.scope
    return ctx.now() if ctx.scope.clock else clock.now_ms()
