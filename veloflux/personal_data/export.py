"""Everything about a person or tenant as one JSON array of records, streamed: one a key, event or message."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from veloflux import audit, identity, notifications, tenants
from veloflux.audit import Entry
from veloflux.context import Context
from veloflux.db import keys
from veloflux.identity import User, parse_email
from veloflux.personal_data import store


class Record(msgspec.Struct, frozen=True):
    """`kind` is the name of the key in the registry, `event` or `message`; `id` is the key, or the id of the others."""

    kind: str
    id: str
    meaning: str
    value: Any


async def export_own(ctx: Context, password: str) -> AsyncIterator[bytes]:
    """Everything about the acting person, who gives the present password.

    :raises CredentialsWrong: it is another. :raises TooManyAttempts: see `veloflux.identity.attempts`.
    """
    user = await identity.require_password(ctx, password)
    return export_person(ctx, user)


def export_person(ctx: Context, user: User) -> AsyncIterator[bytes]:
    """Everything about a person: their keys, what tenants keep of them, their trail, the messages sent to them."""
    return _encoded(_of_person(ctx, user))


def export_tenant(ctx: Context) -> AsyncIterator[bytes]:
    """Everything in the tenant's slot but secrets, and its trail."""
    return _encoded(_of_owner(ctx, ctx.tenant))


async def addresses_of(ctx: Context, user: User) -> list[str]:
    """The e-mail addresses that a person has and had, as the trail knows."""
    changes = [change async for entry in audit.whole_trail(ctx, user.id) for change in entry.changes]
    texts = {text for change in changes if change.field == "email" for text in (change.before, change.after)}
    return sorted({user.email} | {text for text in texts if text and "@" in text} - {""})


async def digests_of(ctx: Context, addresses: list[str]) -> set[str]:
    """What stands for these addresses in invitations."""
    return {identity.email_digest(ctx, parse_email(address)) for address in addresses}


async def _of_person(ctx: Context, user: User) -> AsyncIterator[Record]:
    async for record in _of_owner(ctx, user.id):
        yield record
    addresses = await addresses_of(ctx, user)
    elsewhere = await store.keys_elsewhere(ctx.db, user.id)
    digests = await digests_of(ctx, addresses)
    of_others = [keys.invitation(*one) for one in await tenants.invitations_of(ctx, user.id, digests)]
    of_others += await tenants.oidc_keys_of(ctx, user.id, digests)
    for name, entry in elsewhere + store.described(of_others):
        if entry.rule.exported and (value := await store.value_of(ctx.db, name, entry)):
            yield Record(entry.name, name, entry.meaning, value)
    for tenant in await tenants.memberships(ctx, user.id):
        async for found in audit.whole_trail(ctx, tenant):
            if _is_about(found, user.id):
                yield _event(found, keys.events(tenant))
    for message in await notifications.messages_to(ctx, addresses):
        yield Record("message", message.id, "a message that was written to the person", message)


async def _of_owner(ctx: Context, owner: str) -> AsyncIterator[Record]:
    for name, entry in await store.keys_of(ctx.db, owner):
        if entry.rule.exported and entry.name != "events" and (value := await store.value_of(ctx.db, name, entry)):
            yield Record(entry.name, name, entry.meaning, value)
    async for found in audit.whole_trail(ctx, owner):
        yield _event(found, keys.events(owner))


def _event(found: Entry, stream: str) -> Record:
    return Record("event", found.id, f"an entry of the trail {stream}", found)


def _is_about(found: Entry, user: str) -> bool:
    return user in (found.actor, *found.data.values(), *(change.subject for change in found.changes))


async def _encoded(records: AsyncIterator[Record]) -> AsyncIterator[bytes]:
    separator = b"[\n"
    async for record in records:
        yield separator + msgspec.json.encode(record)
        separator = b",\n"
    yield b"\n]\n"
