"""The meters of a tenant: those of its policy, and the former versions, whose usage stays as it was counted."""

import asyncio
from collections.abc import Sequence

from veloflux.context import Context
from veloflux.errors import InputInvalid, NotFound
from veloflux.metering import store
from veloflux.plans import Meter, pick_meter, read_catalogue
from veloflux.plans.policy import from_text


async def present_meters(ctx: Context) -> tuple[Meter, ...]:
    """What the tenant's events are counted by now.

    :raises NotFound: no such tenant.
    """
    text = await store.policy(ctx.db, ctx.tenant)
    if text is None:
        raise NotFound("There is no such tenant")
    return from_text(text).meters


async def all_meters(ctx: Context) -> list[Meter]:
    """Present meters in the order of the policy, each followed by its former versions, the newest first."""
    present, former = await asyncio.gather(present_meters(ctx), _former(ctx))
    return [version for meter in present for version in versions_of(meter.name, [*present, *former])]


async def find_version(ctx: Context, meter: str, version: int | None) -> tuple[Meter, list[int]]:
    """A version of a meter, the newest if none is named, and the numbers of all that there are.

    :raises MeterUnknown: no such meter. :raises InputInvalid: no such version.
    """
    present, former = await asyncio.gather(present_meters(ctx), _former(ctx))
    found = versions_of(meter, [*present, *former]) or [pick_meter(present, meter)]
    numbers = [each.version for each in found]
    for each in found:
        if version in (None, each.version):
            return each, numbers
    raise InputInvalid(
        f"The meter {meter} has no version {version}; choose one of {', '.join(map(str, numbers))}", field="version"
    )


def versions_of(meter: str, among: Sequence[Meter]) -> list[Meter]:
    """The versions of a meter, each once, the newest first; of the same number the first among them is taken.

    >>> import msgspec
    >>> first = Meter(name="gb", event_type="e", aggregation="count", unit="GB")
    >>> [each.key for each in versions_of("gb", [msgspec.structs.replace(first, version=2), first, first])]
    ['gb__2', 'gb']
    """
    by_number = {each.version: each for each in reversed(among) if each.name == meter}
    return [by_number[number] for number in sorted(by_number, reverse=True)]


async def _former(ctx: Context) -> tuple[Meter, ...]:
    return (await read_catalogue(ctx.db)).former
