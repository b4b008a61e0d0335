"""Which groups of a meter an answer is made of: those that a filter lets through, told apart by some properties."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from veloflux.context import Context
from veloflux.errors import InputInvalid
from veloflux.metering import store
from veloflux.metering.groups import NAMED_MAX, OTHER
from veloflux.plans import Meter

Key = tuple[str, ...]
"""The values of the properties that an answer is grouped by, as it shows them; () where it is not."""


class Selection(NamedTuple):
    """`chosen`: for each group read, of whose rows it is part; None: what is counted of all groups at once is read."""

    by: tuple[str, ...] = ()
    chosen: Mapping[str, Key] | None = None
    capped: bool = False

    @property
    def parts(self) -> Sequence[tuple[str, Key]]:
        """Group ("" for all at once) and row of each part to read."""
        return [("", ())] if self.chosen is None else list(self.chosen.items())


async def select(ctx: Context, meter: Meter, by: Sequence[str], filters: Sequence[str]) -> Selection:
    """The groups that are asked for; filters (`property=value`) of one property are alternatives.

    :raises InputInvalid: the meter does not group by such a property.
    """
    wanted: dict[str, set[str]] = {}
    for one in filters:
        name, equals, text = one.partition("=")
        if not equals:
            raise InputInvalid(f"Write a filter as property=value, not {one[:60]!r}", field="filter")
        wanted.setdefault(name, set()).add(text)
    for name in (*by, *wanted):
        if name not in meter.group_by:
            raise InputInvalid(f"The meter {meter.name} does not group by {name[:60]!r}; {_choice(meter)}")
    if not by and not wanted:
        return Selection()
    found = await store.groups(ctx.db, ctx.tenant, meter.key)
    values = {group: values_of(text) for group, text in found.items() if group != OTHER}
    capped = len(values) >= NAMED_MAX
    return Selection(tuple(by), chosen(meter, values, tuple(by), wanted), capped)


def chosen(
    meter: Meter, values: Mapping[str, Key], by: tuple[str, ...], wanted: Mapping[str, set[str]]
) -> dict[str, Key]:
    """The groups that a filter lets through, and the values of each that it is shown under."""
    at = {name: place for place, name in enumerate(meter.group_by)}
    every = {**values, OTHER: (OTHER,) * len(meter.group_by)}
    return {
        group: tuple(of[at[name]] for name in by)
        for group, of in every.items()
        if all(of[at[name]] in texts for name, texts in wanted.items())
    }


def values_of(text: str) -> Key:
    """The values of a group, as answers show them.

    >>> values_of('["eu", 3, true, null]')
    ('eu', '3', 'true', '')
    """
    return tuple(_shown(value) for value in msgspec.json.decode(text))


def _shown(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _choice(meter: Meter) -> str:
    return f"choose among {', '.join(meter.group_by)}" if meter.group_by else "it has no groups"
