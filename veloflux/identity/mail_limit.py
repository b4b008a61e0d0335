"""How many messages others may cause to one mailbox: who signs up, forgets a password, wants an address, invites.

Each message is counted before it is asked for, as attempts are (attempts.py), by the digest of the address alone: with
an account and without one the same is counted, in the same calls, and the refusal (429) is the same. The counts:

- of the mailbox, by who causes it: an address of the network, or a tenant that invites
- of who causes it, whatever the mailbox
- of the mailbox, whoever causes it: many together cannot flood it either. Its owner waits too then, but has messages
  whose links work
"""

from veloflux.context import Context
from veloflux.db import keys
from veloflux.identity import attempts
from veloflux.kit import ids

FORM, INVITATION = "mail", "invitation"
FREE_TO_MAILBOX, FREE_TO_MAILBOX_FROM_ALL = 5, 20
FREE_OF_ADDRESS, FREE_OF_TENANT = 50, 200


async def admit_mail(ctx: Context, email_digest: str) -> None:
    """Count a message that somebody at the actor's address asks for.

    :raises TooManyAttempts: with the seconds to wait; nothing is to be sent.
    """
    await _admit(ctx, FORM, attempts.place(ctx.parts, ctx.actor.address), FREE_OF_ADDRESS, email_digest)


async def admit_invitation(ctx: Context, email_digest: str) -> None:
    """Count an invitation by the tenant. :raises TooManyAttempts: as `admit_mail`."""
    await _admit(ctx, INVITATION, attempts.place(ctx.parts, ctx.tenant), FREE_OF_TENANT, email_digest)


async def _admit(ctx: Context, form: str, origin: str, free: int, email_digest: str) -> None:
    id_, mailbox = ids.new("att"), attempts.nobody(email_digest)
    await attempts.count(ctx, id_, [keys.attempts_from(form, origin)], [free])
    counts = [keys.attempts_here(mailbox, form, origin), keys.attempts_elsewhere(mailbox, FORM)]
    await attempts.count(ctx, id_, counts, [FREE_TO_MAILBOX, FREE_TO_MAILBOX_FROM_ALL])
