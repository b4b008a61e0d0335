"""How tests have somebody erased."""

import msgspec

from tests.identity.mails import work
from veloflux import personal_data
from veloflux.context import Context


def without_grace(ctx: Context) -> Context:
    """The same, where a wish to be erased is due at once."""
    settings = msgspec.structs.replace(ctx.settings, erasure_grace_days=0)
    return msgspec.structs.replace(ctx, parts=msgspec.structs.replace(ctx.parts, settings=settings))


async def erase(ctx: Context, user: str) -> None:
    """Erase a person, and do all the work that follows."""
    await personal_data.request_erasure(without_grace(ctx), user)
    await work(ctx)
