"""What was written to the outbox folder, for operators to read."""

import asyncio
from collections.abc import Collection
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8
from pathlib import Path

import msgspec

from veloflux.context import Context
from veloflux.errors import NotFound
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.notifications.outbox_folder import OutboxFolder


class OutboxMessage(msgspec.Struct, frozen=True, kw_only=True):
    """`at` is when it was written, in epoch ms."""

    id: str
    at: int
    to: str
    subject: str
    text: str


async def list_messages(ctx: Context, cursor: str = "", limit: int = page.LIMIT) -> Page[OutboxMessage]:
    """The messages in the folder, latest first.

    :raises CursorInvalid: the cursor is not one of ours.
    """
    return await asyncio.to_thread(_page, OutboxFolder.of(ctx.settings).folder, page.decode(cursor), limit)


async def read_message(ctx: Context, id_: str) -> OutboxMessage:
    """:raises NotFound: there is no such message."""
    path = OutboxFolder.of(ctx.settings).path(id_)
    try:
        return await asyncio.to_thread(_read, path)
    except FileNotFoundError:
        raise NotFound("There is no such message in the outbox") from None


async def messages_to(ctx: Context, addresses: Collection[str]) -> list[OutboxMessage]:
    """All messages in the folder to one of these addresses, latest first; it reads every message."""
    return await asyncio.to_thread(_to, OutboxFolder.of(ctx.settings).folder, addresses)


async def delete_messages_to(ctx: Context, addresses: Collection[str]) -> None:
    """Delete all messages in the folder to one of these addresses."""
    for message in await messages_to(ctx, addresses):
        await delete_message(ctx, message.id)


async def delete_message(ctx: Context, id_: str) -> None:
    """Delete a message, if it is in the folder."""
    await asyncio.to_thread(OutboxFolder.of(ctx.settings).path(id_).unlink, missing_ok=True)


def _to(folder: Path, addresses: Collection[str]) -> list[OutboxMessage]:
    wanted = {address.casefold() for address in addresses}
    places = sorted((_place(path) for path in folder.glob("*.eml")), reverse=True)
    messages = (_read(folder / f"{place.partition(' ')[2]}.eml") for place in places)
    return [message for message in messages if message.to.casefold() in wanted]


def _page(folder: Path, place: str, limit: int) -> Page[OutboxMessage]:
    places = sorted((_place(path) for path in folder.glob("*.eml")), reverse=True)
    after = [one for one in places if not place or one < place]
    messages = [_read(folder / f"{one.partition(' ')[2]}.eml") for one in after[:limit]]
    return Page(messages, page.encode(after[limit - 1]) if len(after) > limit else None)


def _place(path: Path) -> str:
    """Sorts by the time of writing: 13 digits, then the id."""
    return f"{_written_at(path):013d} {path.stem}"


def _read(path: Path) -> OutboxMessage:
    message = message_from_bytes(path.read_bytes(), EmailMessage, policy=SMTPUTF8)
    text = message.get_body(("plain",))
    return OutboxMessage(
        id=path.stem,
        at=_written_at(path),
        to=str(message["To"]),
        subject=str(message["Subject"]),
        text=text.get_content().replace("\r\n", "\n") if text else "",
    )


def _written_at(path: Path) -> int:
    return path.stat().st_mtime_ns // 1_000_000
