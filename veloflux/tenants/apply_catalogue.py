"""Another catalogue comes into force, in one commit, which also begins to compile every tenant's policy anew.

For each tenant it holds from the commit of its own policy on (rollout.py); a tenant that is created or changed
meanwhile has the new one at once.
"""

from collections.abc import Callable, Collection
from typing import NamedTuple

import msgspec

from veloflux.context import PLATFORM, Context
from veloflux.db import keys
from veloflux.errors import Conflict, InputInvalid
from veloflux.events import CatalogueChanged
from veloflux.kit.page import LIMIT_MAX
from veloflux.plans import (
    Catalogue,
    CatalogueChange,
    CatalogueText,
    Meter,
    Plan,
    differences,
    find_catalogue,
    following,
    from_document,
    pick_meter,
    text_of,
)
from veloflux.plans.prices import AddOn, Coupon, Tax
from veloflux.tenants import store
from veloflux.tenants.rollout import begin_rollout
from veloflux.transaction import Transaction, decide

TEXT_MAX = 50_000
NAMED = 10


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What changes; `version` is that of the catalogue in force then, which a dry run leaves as it is."""

    version: int
    changes: list[CatalogueChange]
    dry_run: bool = False


class Offers(NamedTuple):
    """What can be had beside a plan, or comes on top or off."""

    addons: tuple[AddOn, ...]
    coupons: tuple[Coupon, ...]
    taxes: tuple[Tax, ...]


async def apply_catalogue(ctx: Context, wanted: Catalogue, *, dry_run: bool = False) -> Applied:
    """Let the wanted catalogue be in force; versions, former meters and former plans follow from the one before.

    If it says a version, that must be the one in force: what it was made from.

    :raises Conflict: another version is in force, or a plan that it lacks is one that tenants have.
    :raises InputInvalid: it is too long.
    """
    return await edit_catalogue(ctx, lambda _present: wanted, dry_run=dry_run)


async def put_plan(ctx: Context, plan: Plan, *, version: int = 0, dry_run: bool = False) -> Applied:
    """Add a plan, or change the one of its id; `version` as of `apply_catalogue`.

    :raises Conflict: see there. :raises InputInvalid: it names a meter that there is not, or that does not count or sum.
    """

    def put(present: Catalogue) -> Catalogue:
        known = [one.id for one in present.plans]
        others = tuple(plan if one.id == plan.id else one for one in present.plans)
        return _valid(present, version=version, plans=others if plan.id in known else (*others, plan))

    return await edit_catalogue(ctx, put, dry_run=dry_run)


async def put_offers(ctx: Context, offers: Offers, *, version: int = 0, dry_run: bool = False) -> Applied:
    """Let these be the add-ons, coupons and taxes; `version` as of `apply_catalogue`.

    :raises Conflict: see there. :raises InputInvalid: two have the same name, or a coupon is for a plan that there is not.
    """
    return await edit_catalogue(
        ctx, lambda present: _valid(present, version=version, **offers._asdict()), dry_run=dry_run
    )


async def add_meter(ctx: Context, meter: Meter) -> Meter:
    """Measure something more.

    :raises Conflict: there is a meter of this name.
    """

    def added(present: Catalogue) -> Catalogue:
        if any(known.name == meter.name for known in present.meters):
            raise Conflict(f"There is a meter {meter.name!r} already; change it instead", field="name")
        return msgspec.structs.replace(present, meters=(*present.meters, meter))

    await edit_catalogue(ctx, added)
    return pick_meter(from_document(await find_catalogue(ctx.db)).meters, meter.name)


async def change_meter(ctx: Context, name: str, meter: Meter) -> Meter:
    """Measure otherwise: display name and unit change in place, anything else makes the meter's next version.

    :raises MeterUnknown: there is none. :raises InputInvalid: it has another name, or plans limit what cannot be.
    """
    if meter.name != name:
        raise InputInvalid("A meter keeps its name; add another one", field="name")

    def changed(present: Catalogue) -> Catalogue:
        pick_meter(present.meters, name)
        meters = (meter if known.name == name else known for known in present.meters)
        return _valid(present, meters=tuple(meters))

    await edit_catalogue(ctx, changed)
    return pick_meter(from_document(await find_catalogue(ctx.db)).meters, name)


async def edit_catalogue(ctx: Context, change: Callable[[Catalogue], Catalogue], *, dry_run: bool = False) -> Applied:
    """Let what a function makes of the present catalogue be in force. Errors as `apply_catalogue`."""
    return await decide(lambda: _apply(ctx, change, dry_run=dry_run))


async def _apply(ctx: Context, change: Callable[[Catalogue], Catalogue], *, dry_run: bool) -> Applied:
    document = await find_catalogue(ctx.db)
    present = from_document(document)
    wanted = change(present)
    if wanted.version not in (0, present.version):
        raise Conflict(
            f"The catalogue in force is version {present.version}; load it again and repeat", field="version"
        )
    next_ = following(wanted, present)
    changes = differences(present, next_)
    await _refuse_if_had(ctx, {one.name for one in changes if (one.what, one.change) == ("plan", "removed")})
    text = text_of(next_)
    if len(text) > TEXT_MAX:
        raise InputInvalid(f"The catalogue has {len(text)} characters as JSON; at most {TEXT_MAX} are possible")
    if dry_run or text == text_of(present):
        return Applied(version=present.version, changes=changes, dry_run=dry_run)
    await _commit(ctx, document, text, present.version + 1)
    return Applied(version=present.version + 1, changes=changes)


async def _commit(ctx: Context, document: CatalogueText | None, text: str, version: int) -> None:
    tx = Transaction(ctx, PLATFORM)
    key = keys.catalogue(PLATFORM)
    if document is None:
        tx.create(key, CatalogueText(text=text))
    else:
        tx.change(key, document, msgspec.structs.replace(document, text=text))
    begin_rollout(tx, version)
    tx.event(CatalogueChanged(catalogue=version))
    await tx.commit()


async def _refuse_if_had(ctx: Context, plans: Collection[str]) -> None:
    """:raises Conflict: tenants have one of these plans. It reads all tenants."""
    slugs: list[str] = []
    for archived in (False, True) if plans else ():
        cursor: str | None = ""
        while cursor is not None and len(slugs) < NAMED:
            found = await store.tenants_page(ctx, cursor, LIMIT_MAX, archived=archived)
            slugs += [tenant.slug for tenant in found.items if tenant.plan in plans]
            cursor = found.next
    if slugs:
        named = ", ".join(slugs[:NAMED]) + (", …" if len(slugs) >= NAMED else "")
        raise Conflict(f"Tenants have the plan {' or '.join(sorted(plans))}: {named}. Give them another plan first")


def _valid(present: Catalogue, **changes: object) -> Catalogue:
    """:raises InputInvalid: the parts do not fit together."""
    try:
        return msgspec.structs.replace(present, **changes)
    except ValueError as error:
        raise InputInvalid(str(error)) from None
