"""How a tenant is billed: proration, taxes, what it withholds, when it pays, what happens when it does not."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from veloflux.billing import store
from veloflux.billing.arithmetic.taxes import holding
from veloflux.billing.arithmetic.withholding import Withholding
from veloflux.billing.model import Profile, Proration
from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.errors import Conflict
from veloflux.events import BillingProfileChanged
from veloflux.kit import ids
from veloflux.plans import read_catalogue
from veloflux.plans.prices import Name
from veloflux.transaction import Transaction, decide


class ProfileTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`taxes` are the ids of those that hold for the tenant; null: those of its place, none: it is exempt. An invoice
    is due `days_to_pay` after it is issued."""

    proration: Proration = "second"
    taxes: Annotated[tuple[Name, ...], Meta(max_length=20)] | None = None
    withholdings: Annotated[tuple[Withholding, ...], Meta(max_length=20)] = ()
    days_to_pay: Annotated[int, Meta(ge=0, le=90)] = 0
    when_unpaid: Literal["suspend", "cancel", "nothing"] = "suspend"


async def read_profile(ctx: Context) -> ProfileTerms:
    """As it holds now."""
    return _terms(await store.find_profile(ctx.db, ctx.tenant) or Profile(id=""))


async def set_profile(ctx: Context, wanted: ProfileTerms) -> ProfileTerms:
    """Bill the tenant so from its next invoice on.

    :raises InputInvalid: the catalogue lacks one of the taxes. :raises Conflict: it is the platform's own tenant.
    """
    if ctx.tenant == PLATFORM:
        raise Conflict("The platform's own tenant is not billed")
    holding((await read_catalogue(ctx.db)).taxes, "", listed=wanted.taxes)
    return await decide(lambda: _set(ctx, wanted))


async def _set(ctx: Context, wanted: ProfileTerms) -> ProfileTerms:
    old = await store.find_profile(ctx.db, ctx.tenant)
    new = msgspec.structs.replace(old or Profile(id=ids.new("bil")), **_values(wanted))
    if new == old:
        return wanted
    tx, key = Transaction(ctx, ctx.tenant), keys.billing(ctx.tenant)
    if old:
        tx.change(key, old, new)
    else:
        tx.create(key, new)
    tx.event(BillingProfileChanged(tenant=ctx.tenant))
    await tx.commit()
    return wanted


def _terms(profile: Profile) -> ProfileTerms:
    return ProfileTerms(**{name: getattr(profile, name) for name in ProfileTerms.__struct_fields__})


def _values(wanted: ProfileTerms) -> dict[str, object]:
    return msgspec.structs.asdict(wanted)
