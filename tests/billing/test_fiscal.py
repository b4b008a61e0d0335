"""Fiscal documents of invoices, over everything that a provider does and does not do."""

import asyncio
import itertools
from collections.abc import Awaitable
from typing import TypeVar

import pytest
from msgspec.structs import replace

from tests.billing.brazil import (
    CNPJ,
    RECORD,
    behind,
    brazilian,
    document,
    invoiced,
    invoices,
    moved,
    numbers,
    prepared,
    settled,
)
from tests.customers import DAY, NOON
from veloflux import billing, tenants
from veloflux.billing import store
from veloflux.billing.fiscal import requests as fiscal_requests
from veloflux.billing.fiscal.document import MOVES, PAUSES_MS
from veloflux.billing.fiscal.fake import FiscalFake, Habits
from veloflux.billing.fiscal.files import read_pdf, read_xml
from veloflux.billing.fiscal.model import FiscalDocument
from veloflux.billing.invoices.credit_note import CreditWanted, LineCredit, credit_invoice
from veloflux.billing.invoices.void import void
from veloflux.billing.model import Invoice
from veloflux.billing.states import FISCAL, UNDER_WAY, move
from veloflux.context import Context
from veloflux.db import keys, streams
from veloflux.errors import FiscalProviderAway, InputInvalid, MoveImpossible, NotFound
from veloflux.kit.clock import MINUTE_MS
from veloflux.kit.fiscal import Accepted, Answer, Cancelled, Declaration, Processing, Rejected
from veloflux.tenants import RecordChange

R = TypeVar("R")
REASON = "Emitida em duplicidade"
AT_ONCE = Habits(processing=0)


async def told(ctx: Context, invoice: Invoice) -> list[str]:
    """The names of the events about an invoice's fiscal document."""
    found = await streams.after(ctx.db, ctx.tenant, "0-0", 1_000)
    return [
        one.name.partition(".")[2] for one in found if one.name.startswith("fiscal") and invoice.id in str(one.data)
    ]


async def on_agenda(ctx: Context, invoice: Invoice) -> bool:
    return await ctx.db.call("ZSCORE", keys.agenda(ctx.tenant), f"fiscal/{invoice.id}") is not None


async def test_a_document_is_processed_for_a_while_then_it_has_its_number_and_its_files(ctx: Context) -> None:
    acme = await brazilian(await prepared(ctx))
    invoice = await invoiced(acme)
    assert (await document(acme, invoice)).status == "waiting"
    await billing.advance(acme)
    assert (await document(acme, invoice)).status == "processing"
    acme, issued = await settled(acme, invoice)
    assert (issued.status, issued.number, issued.reason) == ("issued", "1", "")
    assert issued.issued_at == NOON + sum(PAUSES_MS[:3])
    assert not await on_agenda(acme, invoice)
    assert await told(acme, invoice) == ["requested", "pending", "pending", "pending", "issued"]

    assert (await read_pdf(acme, invoice.id)).startswith(b"%PDF")
    await FiscalFake(acme.db).behave(Habits(faults=("away",)))
    xml = await read_xml(acme, invoice.id)
    assert b"<nNFSe>1</nNFSe>" in xml
    assert b"<vServ>149.00</vServ>" in xml
    with pytest.raises(FiscalProviderAway):
        await read_pdf(acme, invoice.id)
    assert "nNFSe" not in str(await store.find_fiscal_xml(acme.db, acme.tenant, invoice.id))


async def test_nobody_declares_what_is_free_or_sold_elsewhere_or_without_a_provider(one_ctx: Context) -> None:
    ready = await prepared(one_ctx)
    for name, inside, plan in (
        ("Free", await brazilian(ready, name="Free"), "free"),
        ("Abroad", await brazilian(ready, RecordChange(country="GB"), "Abroad"), "pro"),
        ("Nobody", replace(await brazilian(ready, name="Nobody"), parts=replace(ready.parts, fiscal=None)), "pro"),
    ):
        for invoice in [await invoiced(inside, plan)] if plan == "pro" else await invoices(inside):
            assert await store.find_fiscal(inside.db, inside.tenant, invoice.id) is None, name
    assert await numbers(ready) == 0


async def test_a_rejected_document_waits_for_somebody_who_corrects_the_record(one_ctx: Context) -> None:
    acme = await brazilian(await prepared(one_ctx), RecordChange(country="BR"))
    invoice = await invoiced(acme)
    acme, refused = await settled(acme, invoice)
    assert (refused.status, refused.reason_code, refused.number) == ("rejected", "buyer_tax_id", "")
    assert not await on_agenda(acme, invoice)
    with pytest.raises(NotFound):
        await read_xml(acme, invoice.id)

    await fiscal_requests.retry(acme, invoice.id)
    acme, again = await settled(acme, invoice)
    assert again.reason_code == "buyer_tax_id"
    await tenants.change_record(acme, RecordChange(tax_id=CNPJ))
    await fiscal_requests.retry(acme, invoice.id)
    acme, issued = await settled(acme, invoice)
    assert (issued.status, issued.number, issued.reason, issued.reason_code) == ("issued", "1", "", "")
    with pytest.raises(MoveImpossible):
        await fiscal_requests.retry(acme, invoice.id)


async def test_a_provider_that_is_away_is_asked_after_growing_pauses_and_then_given_up(one_ctx: Context) -> None:
    acme = await brazilian(await prepared(one_ctx, Habits(processing=0, faults=("away",) * (len(PAUSES_MS) + 1))))
    invoice = await invoiced(acme)
    asked, found = NOON, await document(acme, invoice)
    for pause in PAUSES_MS:
        acme = await moved(acme, asked)
        found = await document(acme, invoice)
        assert (found.status, found.next_at) == ("waiting", asked + pause)
        asked += pause
    acme, given_up = await settled(acme, invoice)
    assert (given_up.status, given_up.next_at) == ("failed", None)
    assert given_up.reason
    await fiscal_requests.retry(acme, invoice.id)
    _, issued = await settled(acme, invoice)
    assert (issued.status, issued.attempts, issued.number) == ("issued", 0, "1")


async def test_a_document_that_is_processed_for_ever_is_given_up_and_taken_when_it_came_after_all(
    one_ctx: Context,
) -> None:
    acme = await brazilian(await prepared(one_ctx, Habits(processing=len(PAUSES_MS))))
    invoice = await invoiced(acme)
    acme, given_up = await settled(acme, invoice)
    assert (given_up.status, bool(given_up.reason)) == ("failed", True)
    await fiscal_requests.retry(acme, invoice.id)
    _, issued = await settled(acme, invoice)
    assert (issued.status, issued.number, await numbers(acme)) == ("issued", "1", 1)


async def test_pauses_are_real_ones_however_late_a_worker_is(one_ctx: Context) -> None:
    acme = await brazilian(await prepared(one_ctx, Habits(faults=("away",) * 20)), clock="")
    invoice = await invoiced(acme)
    due = acme.now() - 30 * DAY
    await acme.db.call("HSET", keys.fiscal(acme.tenant, invoice.id), "next_at", due)
    await acme.db.call("ZADD", keys.agenda(acme.tenant), due, f"fiscal/{invoice.id}")
    before = acme.now()
    await billing.advance(acme)
    found = await document(acme, invoice)
    assert found.attempts == 1
    assert (found.next_at or 0) >= before + PAUSES_MS[0]


@pytest.mark.parametrize(
    "faults", [faults for length in (1, 2, 3) for faults in itertools.product(("away", "silent"), repeat=length)]
)
async def test_whatever_answer_is_lost_there_is_one_document(one_ctx: Context, faults: tuple[str, ...]) -> None:
    acme = await brazilian(await prepared(one_ctx, Habits(processing=1, faults=faults)))  # type: ignore[arg-type]
    invoice = await invoiced(acme)
    acme, issued = await settled(acme, invoice)
    assert (issued.status, issued.number, await numbers(acme)) == ("issued", "1", 1)
    await FiscalFake(acme.db).behave(Habits(faults=faults))  # type: ignore[arg-type]
    await void(acme, invoice.id)
    acme, cancelled = await settled(acme, invoice)
    assert cancelled.status == "cancelled"
    assert isinstance(await FiscalFake(acme.db).status(issued.id), Cancelled)


class Dying:
    """The way to the provider, in a process that dies as soon as the `n`-th answer is there."""

    def __init__(self, fake: FiscalFake, n: int) -> None:
        self._fake, self._left = fake, n

    async def _heard(self, answer: Awaitable[R]) -> R:
        heard = await answer
        self._left -= 1
        if self._left == 0:
            raise asyncio.CancelledError
        return heard

    async def issue(self, id_: str, declaration: Declaration) -> Answer:
        return await self._heard(self._fake.issue(id_, declaration))

    async def status(self, id_: str) -> Answer | None:
        return await self._heard(self._fake.status(id_))

    async def cancel(self, id_: str, reason: str, at: int) -> Cancelled | Rejected | Processing:
        return await self._heard(self._fake.cancel(id_, reason, at))

    async def pdf(self, id_: str) -> bytes:
        return await self._heard(self._fake.pdf(id_))

    async def xml(self, id_: str) -> bytes:
        return await self._heard(self._fake.xml(id_))


@pytest.mark.parametrize("processing", [0, 1])
@pytest.mark.parametrize("answers", [1, 2, 3, 4, 5])
async def test_a_process_that_dies_between_an_answer_and_the_commit_leaves_one_document(
    one_ctx: Context, answers: int, processing: int
) -> None:
    acme = await brazilian(await prepared(one_ctx, Habits(processing=processing)))
    invoice = await invoiced(acme)
    dying = Dying(FiscalFake(acme.db), answers)
    died = 0
    for wanted in ("issued", "cancelled"):
        if wanted == "cancelled":
            await fiscal_requests.cancel(acme, invoice.id, REASON)
        try:
            await settled(behind(acme, dying), invoice)
        except asyncio.CancelledError:
            died += 1
        acme = acme.within(tenants.scope_of(await tenants.find(acme, acme.tenant)), acme.permissions)
        acme, found = await settled(acme, invoice)
        assert found.status == wanted
        assert (found.number, await numbers(acme)) == ("1", 1)
    assert died == 1
    assert isinstance(await FiscalFake(acme.db).status(found.id), Cancelled)


async def test_many_workers_at_once_make_one_document_and_cancel_it_once(ctx: Context) -> None:
    acme = await brazilian(await prepared(ctx, AT_ONCE))
    invoice = await invoiced(acme)
    await asyncio.gather(*(billing.advance(acme) for _ in range(4)))
    issued = await document(acme, invoice)
    assert (issued.status, issued.number, await numbers(acme)) == ("issued", "1", 1)
    await fiscal_requests.cancel(acme, invoice.id, REASON)
    await asyncio.gather(*(billing.advance(acme) for _ in range(4)))
    assert (await document(acme, invoice)).status == "cancelled"
    names = await told(acme, invoice)
    assert [names.count(name) for name in ("issued", "cancelled", "cancellation_refused")] == [1, 1, 0]


async def test_workers_that_come_together_ask_one_after_the_other(one_ctx: Context) -> None:
    acme = await brazilian(await prepared(one_ctx, Habits(processing=5)))
    invoice = await invoiced(acme)
    await asyncio.gather(*(billing.advance(acme) for _ in range(4)))
    found = await document(acme, invoice)
    assert (found.status, found.attempts, found.next_at) == ("processing", 1, NOON + PAUSES_MS[0])


class Overtaken(Dying):
    """The way to the provider of a worker that is slower than another one to cancel."""

    async def cancel(self, id_: str, reason: str, at: int) -> Cancelled | Rejected | Processing:
        await self._fake.cancel(id_, reason, at)
        return await super().cancel(id_, reason, at)


async def test_a_cancellation_that_another_worker_was_faster_with_is_no_refusal(one_ctx: Context) -> None:
    acme = await brazilian(await prepared(one_ctx, AT_ONCE))
    invoice = await invoiced(acme)
    await billing.advance(acme)
    await fiscal_requests.cancel(acme, invoice.id, REASON)
    _, cancelled = await settled(behind(acme, Overtaken(FiscalFake(acme.db), 0)), invoice)
    assert cancelled.status == "cancelled"


async def test_two_tenants_have_documents_of_their_own(one_ctx: Context) -> None:
    ready = await prepared(one_ctx, AT_ONCE)
    acme, globex = await brazilian(ready), await brazilian(ready, RECORD, "Globex")
    theirs, others = await invoiced(acme), await invoiced(globex)
    await asyncio.gather(billing.advance(acme), billing.advance(globex))
    found = [await document(acme, theirs), await document(globex, others)]
    assert {one.number for one in found} == {"1", "2"}
    for act in (fiscal_requests.read_fiscal, fiscal_requests.retry, read_pdf, read_xml):
        with pytest.raises(NotFound):
            await act(globex, theirs.id)
    with pytest.raises(NotFound):
        await fiscal_requests.cancel(globex, theirs.id, REASON)
    assert [await document(acme, theirs), await document(globex, others)] == found


async def test_a_document_is_cancelled_once_and_keeps_its_number_and_files(one_ctx: Context) -> None:
    acme = await brazilian(await prepared(one_ctx, AT_ONCE))
    invoice = await invoiced(acme)
    await billing.advance(acme)
    for reason in ("too short", "x" * 256):
        with pytest.raises(InputInvalid):
            await fiscal_requests.cancel(acme, invoice.id, reason)
    await fiscal_requests.cancel(acme, invoice.id, REASON)
    acme, cancelled = await settled(acme, invoice)
    assert (cancelled.status, cancelled.number, cancelled.cancelled_at) == ("cancelled", "1", NOON)
    assert b"<nNFSe>1</nNFSe>" in await read_xml(acme, invoice.id)
    with pytest.raises(MoveImpossible):
        await fiscal_requests.cancel(acme, invoice.id, REASON)
    with pytest.raises(MoveImpossible):
        await fiscal_requests.retry(acme, invoice.id)
    assert (await store.invoice(acme, invoice.id)).status == "open"


async def test_what_the_city_does_not_cancel_any_more_goes_on_to_hold(one_ctx: Context) -> None:
    acme = await brazilian(await prepared(one_ctx, replace(AT_ONCE, days_to_cancel=5)))
    invoice = await invoiced(acme)
    acme = await moved(acme, NOON + 6 * DAY)
    await fiscal_requests.cancel(acme, invoice.id, REASON)
    acme, kept = await settled(acme, invoice)
    assert (kept.status, kept.reason_code, kept.number, kept.cancelled_at) == ("issued", "term_over", "1", None)
    assert isinstance(await FiscalFake(acme.db).status(kept.id), Accepted)
    assert (await told(acme, invoice))[-1] == "cancellation_refused"


async def test_a_document_that_nobody_heard_of_and_that_is_not_cancelled_has_its_number(one_ctx: Context) -> None:
    acme = await brazilian(await prepared(one_ctx, replace(AT_ONCE, days_to_cancel=-1)))
    invoice = await invoiced(acme)
    with pytest.raises(asyncio.CancelledError):
        await billing.advance(behind(acme, Dying(FiscalFake(acme.db), 2)))
    await fiscal_requests.cancel(acme, invoice.id, REASON)
    acme, kept = await settled(acme, invoice)
    assert (kept.status, kept.number, kept.reason_code) == ("issued", "1", "term_over")
    assert b"<nNFSe>1</nNFSe>" in await read_xml(acme, invoice.id)


@pytest.mark.parametrize("status", ["waiting", "processing", "issued", "rejected", "failed"])
async def test_the_document_of_a_void_invoice_is_cancelled_whatever_it_is(one_ctx: Context, status: str) -> None:
    faults = ("away",) * (len(PAUSES_MS) + 1) if status == "failed" else ()
    ready = await prepared(one_ctx, Habits(processing=1, faults=faults))
    acme = await brazilian(ready, RecordChange(country="BR") if status == "rejected" else RECORD)
    invoice = await invoiced(acme)
    if status == "processing":
        await billing.advance(acme)
    elif status != "waiting":
        acme, _ = await settled(acme, invoice)
    found = await document(acme, invoice)
    assert found.status == status
    await void(acme, invoice.id)
    acme, after = await settled(acme, invoice)
    assert (after.status, after.cancel_reason) == ("cancelled", fiscal_requests.VOIDED)
    known = await FiscalFake(acme.db).status(after.id)
    assert known is None or isinstance(known, Cancelled | Rejected)


async def test_the_document_of_an_invoice_is_cancelled_when_the_last_of_it_is_credited(one_ctx: Context) -> None:
    acme = await brazilian(await prepared(one_ctx, AT_ONCE))
    invoice = await invoiced(acme)
    await billing.advance(acme)
    await credit_invoice(acme, invoice.id, CreditWanted(lines=(LineCredit(line=0, amount=4_900),)))
    assert (await document(acme, invoice)).status == "issued"
    await credit_invoice(acme, invoice.id, CreditWanted())
    acme, after = await settled(acme, invoice)
    assert (after.status, after.cancel_reason) == ("cancelled", fiscal_requests.CREDITED)


async def test_the_credit_of_an_invoice_without_a_document_that_can_be_cancelled_is_no_fault(one_ctx: Context) -> None:
    acme = await brazilian(await prepared(one_ctx, AT_ONCE))
    invoice = await invoiced(acme)
    await fiscal_requests.cancel(acme, invoice.id, REASON)
    acme, cancelled = await settled(acme, invoice)
    await credit_invoice(acme, invoice.id, CreditWanted())
    assert await document(acme, invoice) == cancelled


async def test_a_cancellation_that_nobody_answered_is_what_is_tried_again(one_ctx: Context) -> None:
    acme = await brazilian(await prepared(one_ctx, AT_ONCE))
    invoice = await invoiced(acme)
    acme, _ = await settled(acme, invoice)
    await FiscalFake(acme.db).behave(Habits(faults=("away",) * (len(PAUSES_MS) + 1)))
    await void(acme, invoice.id)
    acme, given_up = await settled(acme, invoice)
    assert given_up.status == "failed"
    assert (await fiscal_requests.retry(acme, invoice.id)).status == "cancelling"
    acme, cancelled = await settled(acme, invoice)
    assert (cancelled.status, await numbers(acme)) == ("cancelled", 1)


class Slow(Dying):
    """The way to the provider over a line on which a declaration is held up."""

    def __init__(self, fake: FiscalFake) -> None:
        super().__init__(fake, 0)
        self.sent, self.let_through = asyncio.Event(), asyncio.Event()

    async def issue(self, id_: str, declaration: Declaration) -> Answer:
        self.sent.set()
        await self.let_through.wait()
        return await super().issue(id_, declaration)


async def test_a_declaration_that_arrives_after_the_cancellation_was_asked_for_is_cancelled(one_ctx: Context) -> None:
    acme = await brazilian(await prepared(one_ctx, AT_ONCE))
    invoice = await invoiced(acme)
    slow = Slow(FiscalFake(acme.db))
    sending = asyncio.create_task(billing.advance(behind(acme, slow)))
    await slow.sent.wait()
    await void(acme, invoice.id)
    await billing.advance(acme)
    assert (await document(acme, invoice)).status == "cancelling"
    slow.let_through.set()
    await sending
    acme, cancelled = await settled(acme, invoice)
    assert (cancelled.status, cancelled.number) == ("cancelled", "1")
    assert isinstance(await FiscalFake(acme.db).status(cancelled.id), Cancelled)


async def test_an_invoice_that_waits_for_its_number_is_declared_when_it_has_it(one_ctx: Context) -> None:
    ready = await prepared(one_ctx, AT_ONCE)
    settings = replace(ready.settings, invoice_numbers="operator")
    acme = await brazilian(replace(ready, parts=replace(ready.parts, settings=settings)))
    invoice = await invoiced(acme)
    assert invoice.status == "awaiting_number"
    assert await store.find_fiscal(acme.db, acme.tenant, invoice.id) is None
    _, issued = await settled(await moved(acme, NOON), invoice)
    assert issued.status == "issued"


async def test_a_year_that_passes_at_once_is_the_year_that_passes_day_by_day(one_ctx: Context) -> None:
    ready = await prepared(one_ctx, Habits(processing=3))
    lives = []
    for name, steps in (("Acme", 1), ("Globex", 120)):
        acme = await brazilian(ready, RECORD, name)
        await invoiced(acme)
        for step in range(1, steps + 1):
            acme = await moved(acme, NOON + 120 * DAY * step // steps)
        lives.append([_timeless(await document(acme, one)) for one in await invoices(acme) if one.number])
    assert len(lives[0]) == 4
    assert lives[0] == lives[1]


def _timeless(found: FiscalDocument) -> FiscalDocument:
    return replace(found, id="", invoice="", number="", verification="")


def test_every_answer_leads_somewhere_that_the_table_allows() -> None:
    for (status, _), name in MOVES.items():
        move(FISCAL, status, name)  # type: ignore[arg-type]
    assert {status for status, _ in MOVES} == set(UNDER_WAY)
    assert all(later >= sooner >= MINUTE_MS for sooner, later in itertools.pairwise(PAUSES_MS))
