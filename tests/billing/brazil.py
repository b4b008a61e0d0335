"""Tenants in Brazil, their invoices and fiscal documents, on the fake provider."""

from msgspec.structs import replace

from tests.customers import NOON, customer
from veloflux import billing, tenants
from veloflux.billing import store
from veloflux.billing.fiscal.fake import FiscalFake, Habits
from veloflux.billing.fiscal.files import keep_xml
from veloflux.billing.fiscal.model import FiscalDocument
from veloflux.billing.model import Invoice
from veloflux.billing.states import FiscalStatus
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context
from veloflux.db import keys
from veloflux.events import FiscalDocumentRequested
from veloflux.kit import ids
from veloflux.kit.fiscal import Accepted, Declaration, FiscalProvider, Party
from veloflux.plans import catalogue
from veloflux.tenants import RecordChange
from veloflux.transaction import Transaction

CNPJ = "11222333000181"
DECLARATION = Declaration(
    seller=Party(name="Loja", tax_id="11444777000161", country="BR"),
    buyer=Party(name="Acme", tax_id=CNPJ, country="BR"),
    service="1.05",
    description="INV-000001: Pro",
    competence="2025-05-17",
    issued_at=NOON,
    currency="BRL",
    gross=14_900,
)
RECORD = RecordChange(legal_name="Acme Tecnologia Ltda.", tax_id=CNPJ, country="BR", city="Recife", state="PE")


async def prepared(ctx: Context, habits: Habits | None = None) -> Context:
    """With a fake that has these habits, a seller, and a catalogue whose plans have the code of a service."""
    fake = FiscalFake(ctx.db)
    if habits:
        await fake.behave(habits)
    shipped = catalogue()
    plans = tuple(replace(plan, service="1.05") for plan in shipped.plans)
    await tenants.apply_catalogue(ctx, replace(shipped, plans=plans))
    settings = replace(ctx.settings, seller_tax_id="11444777000161", seller_name="Loja")
    return replace(ctx, parts=replace(ctx.parts, fiscal=fake, settings=settings))


async def brazilian(
    ctx: Context, record: RecordChange = RECORD, name: str = "Acme", clock: str = f"={NOON}"
) -> Context:
    """The context within a new sandbox tenant, at noon unless its clock says another time."""
    inside = await customer(ctx, name, clock=clock)
    await tenants.change_record(inside, record)
    return inside


async def invoiced(ctx: Context, plan: str = "pro") -> Invoice:
    """The invoice that a new subscription begins with; what is due about it is not done yet."""
    sub = await start(ctx, Start(plan=plan))
    return next(one for one in await invoices(ctx) if one.subscription == sub.id)


async def invoices(ctx: Context) -> list[Invoice]:
    """The newest first."""
    return [one async for one in store.every_invoice(ctx.db, ctx.tenant)]


async def moved(ctx: Context, at: int) -> Context:
    """The same tenant, its clock stopped at another time; what is due until then is done."""
    inside = ctx.within(tenants.scope_of(await tenants.set_clock(ctx, "stopped", at)), ctx.permissions)
    await billing.advance(inside)
    return inside


async def document(ctx: Context, invoice: Invoice) -> FiscalDocument:
    found = await store.find_fiscal(ctx.db, ctx.tenant, invoice.id)
    assert found
    return found


async def settled(ctx: Context, invoice: Invoice) -> tuple[Context, FiscalDocument]:
    """Let time pass until nothing more is tried by itself."""
    await billing.advance(ctx)
    for _ in range(50):
        found = await document(ctx, invoice)
        if found.next_at is None:
            return ctx, found
        ctx = await moved(ctx, found.next_at)
    raise AssertionError(f"It has no end: {found}")


async def numbers(ctx: Context) -> int:
    """How many documents the fake ever gave a number."""
    return int(await ctx.db.call("HGET", keys.fiscal_fake("ten_0"), "last") or 0)


async def planted(ctx: Context, status: FiscalStatus = "issued") -> str:
    """A fiscal document as it is after some life, which the fake knows; gives the id of its invoice, which is none."""
    invoice, fake = ids.new("inv"), FiscalFake(ctx.db)
    found = FiscalDocument(
        id=ids.derived("fis", invoice), invoice=invoice, status=status, number="1", created_at=NOON, reason="None"
    )
    tx = Transaction(ctx, ctx.tenant)
    tx.create(keys.fiscal(ctx.tenant, invoice), found)
    tx.event(FiscalDocumentRequested(invoice=invoice))
    await keep_xml(ctx, tx, invoice, b"<NFSe/>")
    await tx.commit()
    await fake.issue(found.id, DECLARATION)
    while not isinstance(await fake.status(found.id), Accepted):
        pass
    return invoice


def behind(ctx: Context, provider: FiscalProvider) -> Context:
    """The same, with another way to the provider."""
    return replace(ctx, parts=replace(ctx.parts, fiscal=provider))
