"""Who has a custom role: a set beside each, which the commits that give and take the role keep.

A role is deleted only if its set does not exist, so a role that somebody is given meanwhile stays.
"""

from veloflux.context import Context
from veloflux.db import keys
from veloflux.kit import clock
from veloflux.tenants.permissions import ROLES
from veloflux.transaction import Transaction


def guard(ctx: Context, tx: Transaction) -> None:
    """Let a commit that gives or takes a role fail if the tenant changed after the actor was authorised."""
    if ctx.scope and ctx.scope.roles:
        tx.expect(keys.tenant(tx.owner), "version", str(ctx.scope.version))


def hold(tx: Transaction, role: str, holder: str) -> None:
    """Note, as a part of a commit, that a member, invitation or API key (its id) has a role from now on."""
    if role not in ROLES:
        tx.rank(keys.role_holders(tx.owner, role), holder, clock.now_ms())


def release(tx: Transaction, role: str, holder: str) -> None:
    """Note, as a part of a commit, that a member, invitation or API key has a role no longer."""
    if role not in ROLES:
        tx.unrank(keys.role_holders(tx.owner, role), holder)
