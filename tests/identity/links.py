"""The tokens that stand in links of e-mails, made as the worker makes them."""

from veloflux.context import Context
from veloflux.identity import email_change, links


async def of_registration(ctx: Context) -> str:
    """The token of the latest registration that waits."""
    key = max([key for found in await ctx.db.every_master("KEYS", "vf:user:*:registration") for key in found])
    user = key.split("{")[1].split("}")[0]
    return links.token_of(ctx.parts.secrets, "verify", user, await ctx.db.call("HGET", key, "id"))


async def of_reset(ctx: Context, user: str) -> list[str]:
    """The tokens by which a person's password can be set anew, oldest first."""
    found = await ctx.db.every_master("KEYS", f"vf:user:{{{user}}}:reset_link:*")
    ids = sorted(key.rpartition(":")[2] for keys in found for key in keys)
    return [links.token_of(ctx.parts.secrets, "reset", user, link) for link in ids]


async def of_email_change(ctx: Context, user: str) -> tuple[str, str]:
    """The tokens of a person's change of address: of the link to the new one, and of that to the present one."""
    change = await ctx.db.call("HGET", f"vf:user:{{{user}}}:email_change", "id")
    prove, approve = (links.token_of(ctx.parts.secrets, side, user, change) for side in email_change.SIDES)
    return prove, approve
