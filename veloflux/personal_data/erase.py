"""A person is erased, some days after the wish, which can be taken back until then.

active ──wish──> active, `erase_at` set ──the job, when due──> erased
  ^                  │
  └───taken back─────┘
The job goes these ways, and after a crash again from the first; each of them done twice is as done once:

1. refuse if a tenant would have no owner left, or the platform no operator: the job fails, and is dead in the end
2. close: all sessions end, nobody signs in any more (`user.erasure_started`)
3. leave all tenants; forget what their sign-in providers know, and the invitations that were addressed to the person
4. delete the messages in the outbox to the person's addresses, present, former and wanted; a job that writes one at
   this moment sees 2 afterwards, and deletes it itself
5. take the person out of the list of all and the search index; delete their jobs and keys, as the registry says
6. with the end of the job, in one commit: the entity keeps its id alone, the data key is destroyed (`user.erased`)
7. a job of its own frees the e-mail address; a handler does again what 5 did for the list and the index
"""

from collections.abc import Collection

import msgspec

from veloflux import audit, identity, jobs, notifications, tenants
from veloflux.context import Context
from veloflux.db import keys
from veloflux.db.jobs import Job
from veloflux.errors import Conflict
from veloflux.events import (
    EmailChangeRequested,
    UserDisabled,
    UserErased,
    UserErasureCancelled,
    UserErasureRequested,
    UserErasureStarted,
)
from veloflux.identity import User
from veloflux.kit import clock
from veloflux.personal_data import store
from veloflux.personal_data.export import addresses_of, digests_of
from veloflux.transaction import Transaction, decide

ERASE_PERSON = "erase_person"


async def request_own_erasure(ctx: Context, password: str) -> User:
    """Erase the acting person when the days of grace are over.

    :raises CredentialsWrong: it is another password. :raises TooManyAttempts: see `identity.require_password`.
    :raises LastOwner: tenants, which it names, would have no owner left.
    """
    await identity.require_password(ctx, password)
    return await request_erasure(ctx, ctx.actor.person)


async def request_erasure(ctx: Context, user: str, *, close: bool = False) -> User:
    """Erase a person when the days of grace are over; to `close` the account is to disable it until then.

    :raises LastOwner: tenants, which it names, would have no owner left.
    :raises Conflict: the person is erased. :raises NotFound: there is no such person.
    """
    await tenants.refuse_if_last(ctx, user)
    return await decide(lambda: _request(ctx, user, close=close))


async def cancel_erasure(ctx: Context, user: str) -> User:
    """Take the wish back; without one nothing changes.

    :raises Conflict: it is too late. :raises NotFound: there is no such person.
    """
    return await decide(lambda: _cancel(ctx, user))


async def erase_person(ctx: Context, job: Job, tx: Transaction) -> None:
    """The job `erase_person`, if the erasure is still wanted.

    :raises LastOwner, Conflict: tenants would have no owner left.
    """
    user = (await identity.find_users(ctx.db, [job.owner])).get(job.owner)
    if user is None or user.erase_at is None or user.erase_at > clock.now_ms():
        return
    if user.status != "erased":
        await tenants.refuse_if_last(ctx, user.id)
        user = await decide(lambda: _close(ctx, job.owner))
    if user.status != "erased":  # taken back at this moment
        return
    addresses = await addresses_of(ctx, user)
    digests = await digests_of(ctx, addresses)
    await tenants.leave_all(ctx, user.id)
    await tenants.forget_oidc(ctx, user.id, digests)
    await tenants.forget_invitations(ctx, user.id, digests)
    await _delete_messages(ctx, user.id, addresses)
    await jobs.remove_other_jobs(ctx, job)
    await identity.project_user(ctx.db, user.id)
    own = {keys.job(user.id, job.id), keys.jobs(user.id), keys.data_key(user.id, user.id)}
    await store.clear(ctx.db, user.id, own)
    _pseudonymise(tx, user)


async def _request(ctx: Context, id_: str, *, close: bool) -> User:
    user = await identity.read_user(ctx.db, id_)
    if user.status == "erased":
        raise Conflict("This person is erased")
    closing = close and user.status == "active"
    if user.erase_at and not closing:
        return user
    at = user.erase_at or clock.now_ms() + ctx.settings.erasure_grace_days * clock.DAY_MS
    tx = Transaction(ctx, user.id)
    if not user.erase_at:
        tx.enqueue(ERASE_PERSON, {}, run_at=at)
        tx.event(UserErasureRequested(user=user.id, erase_at=at))
    wanted = msgspec.structs.replace(user, erase_at=at)
    if closing:
        wanted = msgspec.structs.replace(wanted, status="disabled", epoch=user.epoch + 1)
        tx.event(UserDisabled(user=user.id))
    user = tx.change(keys.user(user.id), user, wanted)
    await tx.commit()
    return user


async def _cancel(ctx: Context, id_: str) -> User:
    user = await identity.read_user(ctx.db, id_)
    if user.status == "erased":
        raise Conflict("It is too late: this person is being erased, or is erased")
    if not user.erase_at:
        return user
    tx = Transaction(ctx, user.id)
    user = tx.change(keys.user(user.id), user, msgspec.structs.replace(user, erase_at=None))
    tx.event(UserErasureCancelled(user=user.id))
    await tx.commit()
    return user


async def _close(ctx: Context, id_: str) -> User:
    user = await identity.read_user(ctx.db, id_)
    if user.status == "erased" or not user.erase_at:
        return user
    tx = Transaction(ctx, user.id)
    closed = msgspec.structs.replace(user, status="erased", epoch=user.epoch + 1)
    closed = tx.change(keys.user(user.id), user, closed)
    tx.event(UserErasureStarted(user=user.id))
    await tx.commit()
    return closed


async def _delete_messages(ctx: Context, user: str, addresses: Collection[str]) -> None:
    """Those to the person's addresses, and to each that the person wanted: it may not be theirs, so by the message."""
    await notifications.delete_messages_to(ctx, addresses)
    async for entry in audit.whole_trail(ctx, user):
        if entry.name == EmailChangeRequested.name:
            await notifications.delete_message(ctx, identity.proof_message(user, entry.id))


def _pseudonymise(tx: Transaction, user: User) -> None:
    """Leave the id, the times and the language."""
    left = User(
        id=user.id,
        version=user.version,
        name="",
        email="",
        email_digest="",
        password_hash="",
        status="erased",
        epoch=user.epoch,
        language=user.language,
        created_at=user.created_at,
    )
    tx.change(keys.user(user.id), user, left)
    tx.delete(keys.data_key(user.id, user.id))
    tx.enqueue(identity.FREE_EMAIL, {"digest": user.email_digest})
    tx.event(UserErased(user=user.id))
