"""Who was invited and has no account gets one by the link itself: it came to the address, so it proves it."""

from veloflux.context import Context
from veloflux.errors import NameTaken
from veloflux.identity import Language, SignedIn, log_in, register
from veloflux.tenants.invitations import accept_invitation, open_invitation
from veloflux.tenants.model import Tenant


async def join_by_invitation(
    ctx: Context, token: str, *, name: str, password: str, language: Language = "en"
) -> tuple[Tenant, SignedIn]:
    """Create the account of the invited address, sign in with it, and become a member.

    A crash after the first step leaves an account, which accepts like any other.

    :raises LinkExpired, AlreadyDone: as `accept_invitation`. :raises InputInvalid: name or password.
    :raises NameTaken: the address has an account; sign in and accept.
    """
    opened = await open_invitation(ctx, token)
    email = opened.invitation.email
    if opened.has_account:
        raise NameTaken("There is an account with this e-mail address already; sign in with it", field="email")
    await register(ctx, name=name, email=email, password=password, language=language)
    signed_in = await log_in(ctx, email, password)
    joining = ctx.acting(signed_in.person.actor(ctx.actor.address))
    return await accept_invitation(joining, token), signed_in
