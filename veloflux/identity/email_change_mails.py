"""What follows from a change of e-mail: the messages to both mailboxes, and that the old address is free."""

from veloflux.context import Context
from veloflux.db import names
from veloflux.db.jobs import Job
from veloflux.events import Recorded
from veloflux.identity import email_address, links, store
from veloflux.identity.email_change import find_pending
from veloflux.identity.jobs import page, send
from veloflux.kit import crypto, ids
from veloflux.transaction import Transaction

SEND_EMAIL_PROOF = "send_email_proof"
SEND_EMAIL_APPROVAL = "send_email_approval"
SEND_EMAIL_CHANGED = "send_email_changed"


async def mail_change_links(_ctx: Context, event: Recorded, tx: Transaction) -> None:
    """Of `email_change.requested`: the jobs that write to the new and to the present address."""
    for kind in (SEND_EMAIL_PROOF, SEND_EMAIL_APPROVAL):
        job = ids.derived("job", event.owner, event.id, kind)
        tx.enqueue(kind, {"change": str(event.data["change"])}, job=job)


async def mail_former_address(_ctx: Context, event: Recorded, tx: Transaction) -> None:
    """Of `user.email_changed`: the job that tells the old address, which it carries sealed as the trail does."""
    job = ids.derived("job", event.owner, event.id, SEND_EMAIL_CHANGED)
    tx.enqueue(SEND_EMAIL_CHANGED, {"former": _former(event)}, job=job)


async def release_former_address(ctx: Context, event: Recorded, _tx: Transaction) -> None:
    """Of `user.email_changed`: others can sign up with the old address."""
    if former := await _unsealed(ctx, event.owner, _former(event)):
        digest = store.email_digest(ctx, email_address.parse(former))
        await names.release(ctx.db, store.email_name(digest), event.owner)


async def send_email_proof(ctx: Context, job: Job, _tx: Transaction) -> None:
    """Write to the new address: to prove it, or, if it has an account, to tell its owner."""
    found = await find_pending(ctx, job.owner, job.payload["change"])
    if found is None:
        return
    user, change = found
    owner = await store.find_by_email(ctx, email_address.parse(change.email))
    if owner:
        await send(ctx, job, owner.email, "email_taken", owner.language, sign_in=page(ctx, "sign-in"))
    else:
        token = links.token_of(ctx.parts.secrets, "prove", user.id, change.id)
        await send(ctx, job, change.email, "email_proof", user.language, link=page(ctx, f"email/{token}"))


async def send_email_approval(ctx: Context, job: Job, _tx: Transaction) -> None:
    """Write to the present address: to approve the change, or to refuse it."""
    found = await find_pending(ctx, job.owner, job.payload["change"])
    if found:
        user, change = found
        token = links.token_of(ctx.parts.secrets, "approve", user.id, change.id)
        link = page(ctx, f"email/{token}")
        await send(ctx, job, user.email, "email_approval", user.language, link=link, email=change.email)


async def send_email_changed(ctx: Context, job: Job, _tx: Transaction) -> None:
    """Tell the old address; not any more once the person is erased."""
    user = await store.find_user(ctx.db, job.owner)
    former = await _unsealed(ctx, job.owner, job.payload["former"])
    if user and user.status != "erased" and former:
        await send(ctx, job, former, "email_changed", user.language, email=user.email)


def proof_message(user: str, event: str) -> str:
    """The id of the message that a person's `email_change.requested`, by its id, has had written to the new address."""
    return ids.derived("job", user, event, SEND_EMAIL_PROOF)


def _former(event: Recorded) -> str:
    return event.changes[event.owner]["email"][0] or ""


async def _unsealed(ctx: Context, user: str, sealed: str) -> str | None:
    key = await ctx.parts.data_keys.current(user, user)
    return crypto.unseal(key, sealed) if key else None
