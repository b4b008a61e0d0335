"""A provider of fiscal documents for trying it: it behaves as the cities' do, and what it issues is worth nothing.

It takes its time, refuses what lacks something, gives numbers in a row and the same one for the same id, cancels once
and within a term. It can be told to be away, or to do what it is asked without answering. What it knows lies in Redis,
without names, so that all processes see the same; its only clock is what it is told.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from veloflux.billing import store
from veloflux.billing.fiscal.fake_files import pdf_of, xml_of
from veloflux.context import PLATFORM
from veloflux.db import commit, keys
from veloflux.db.client import Db
from veloflux.errors import ChangedMeanwhile, FiscalProviderAway
from veloflux.kit import ids
from veloflux.kit.clock import DAY_MS
from veloflux.kit.fiscal import Accepted, Answer, Cancelled, Declaration, Processing, Rejected

Fault = Literal["away", "silent"]
R = TypeVar("R")
HABITS, LAST = "habits", "last"
TRIES = 100
"""Of a call, among as many that come at the same moment."""


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """How often it says `Processing` of a declaration, in how many days it cancels, and how its next calls fail:
    `away` does nothing, `silent` does it and does not answer."""

    processing: int = 2
    days_to_cancel: int = 30
    faults: tuple[Fault, ...] = ()


class Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What it knows of an id: how often it still says `Processing`, then its refusal or its number."""

    verification: str
    processing: int = 0
    refusal: Rejected | None = None
    number: int = 0
    gross: int = 0
    issued_at: int = 0
    cancelled_at: int | None = None


class Desk(NamedTuple):
    """What a call sees and changes: the habits, the last number, what is known of its id."""

    habits: Habits
    last: int
    kept: Kept | None


class FiscalFake:
    """Any number of them on one Redis are the same provider."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def behave(self, habits: Habits) -> None:
        """From now on."""
        tx = commit.Commit(PLATFORM)
        tx.put(keys.fiscal_fake(PLATFORM), {HABITS: _text(habits)})
        await commit.run(self._db, tx)

    async def issue(self, id_: str, declaration: Declaration) -> Answer:
        return await self._call(id_, lambda desk: _issue(desk, id_, declaration))

    async def status(self, id_: str) -> Answer | None:
        return await self._call(id_, _look)

    async def cancel(self, id_: str, reason: str, at: int) -> Cancelled | Rejected | Processing:
        return await self._call(id_, lambda desk: _cancel(desk, reason, at))

    async def pdf(self, id_: str) -> bytes:
        kept = await self._call(id_, _document)
        return pdf_of(f"NFS-e {kept.number} {kept.verification} SEM VALOR FISCAL")

    async def xml(self, id_: str) -> bytes:
        kept = await self._call(id_, _document)
        return xml_of(id_, kept.number, kept.verification, kept.gross)

    async def _call(self, id_: str, step: Callable[[Desk], tuple[Desk, R]]) -> R:
        for _ in range(TRIES):
            texts = await store.fiscal_fake(self._db, HABITS, LAST, id_)
            before = _desk(texts)
            fault, *rest = before.habits.faults or (None,)
            desk = before._replace(habits=replace(before.habits, faults=tuple(rest)))
            done, answer = step(desk)
            try:
                await self._write(id_, texts, before, desk if fault == "away" else done)
            except ChangedMeanwhile:
                continue
            if fault:
                break
            return answer
        raise FiscalProviderAway("The provider of fiscal documents does not answer")

    async def _write(self, id_: str, texts: list[str | None], before: Desk, after: Desk) -> None:
        tx, key = commit.Commit(PLATFORM), keys.fiscal_fake(PLATFORM)
        for field, text, old, new in zip((HABITS, LAST, id_), texts, before, after, strict=True):
            if new != old:
                tx.expect(key, field, text)
                tx.put(key, {field: _text(new)})
        if tx.writes:
            await commit.run(self._db, tx)


def _desk(texts: list[str | None]) -> Desk:
    habits, last, kept = texts
    return Desk(
        msgspec.json.decode(habits or "{}", type=Habits),
        int(last or 0),
        msgspec.json.decode(kept, type=Kept) if kept else None,
    )


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _issue(desk: Desk, id_: str, declaration: Declaration) -> tuple[Desk, Answer]:
    """The same id again is the same document, unless it was refused."""
    answer = _known(desk.kept)
    if answer and not isinstance(answer, Rejected):
        return desk, answer
    kept = Kept(
        verification=ids.derived("nfs", id_)[4:13].upper(),
        processing=desk.habits.processing,
        refusal=_refusal(declaration),
        gross=declaration.gross,
        issued_at=declaration.issued_at,
    )
    desk = _numbered(desk._replace(kept=kept))
    return desk, _known(desk.kept) or Processing()


def _look(desk: Desk) -> tuple[Desk, Answer | None]:
    kept = desk.kept
    if kept and kept.processing:
        return _numbered(desk._replace(kept=replace(kept, processing=kept.processing - 1))), Processing()
    return desk, _known(kept)


def _cancel(desk: Desk, reason: str, at: int) -> tuple[Desk, Cancelled | Rejected]:
    kept = desk.kept
    if kept is None or not kept.number:
        return desk, Rejected("not_issued", "There is no such document")
    if kept.cancelled_at is not None:
        return desk, Rejected("already_cancelled", "The document is cancelled already")
    if len(reason) < 15:
        return desk, Rejected("reason_too_short", "The reason must have 15 characters")
    if at > kept.issued_at + desk.habits.days_to_cancel * DAY_MS:
        return desk, Rejected("term_over", "The term in which a document can be cancelled is over")
    return desk._replace(kept=replace(kept, cancelled_at=at)), Cancelled(str(kept.number), kept.verification)


def _document(desk: Desk) -> tuple[Desk, Kept]:
    """:raises FiscalProviderAway: there is none."""
    if desk.kept is None or not desk.kept.number:
        raise FiscalProviderAway("The provider of fiscal documents has no such document")
    return desk, desk.kept


def _numbered(desk: Desk) -> Desk:
    """With the next number, as soon as there is a document."""
    kept = desk.kept
    if kept is None or kept.processing or kept.refusal or kept.number:
        return desk
    return desk._replace(last=desk.last + 1, kept=replace(kept, number=desk.last + 1))


def _known(kept: Kept | None) -> Answer | None:
    if kept is None:
        return None
    if kept.processing:
        return Processing()
    if kept.refusal:
        return kept.refusal
    what = Accepted if kept.cancelled_at is None else Cancelled
    return what(str(kept.number), kept.verification)


def _refusal(declaration: Declaration) -> Rejected | None:
    """What the first fault is that cities refuse for."""
    rules = (
        (not declaration.seller.tax_id, "seller_tax_id", "The seller has no CNPJ: set VELOFLUX_SELLER_TAX_ID"),
        (not declaration.buyer.tax_id, "buyer_tax_id", "The buyer has no CNPJ or CPF: complete the tenant's record"),
        (not declaration.service, "service", "The plan has no code of a service: set it in the catalogue"),
        (declaration.currency != "BRL", "currency", "A document must be in BRL"),
    )
    return next((Rejected(code, reason) for fails, code, reason in rules if fails), None)
