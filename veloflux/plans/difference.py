"""What becomes of the catalogue in force when another one is wanted, and how the two differ. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from veloflux.plans.catalogue import Catalogue, Meter, Plan

COUNTING = ("event_type", "aggregation", "value_property", "group_by", "places")
"""What a meter's usage depends on: another value makes another version, which begins at nothing."""


class CatalogueChange(msgspec.Struct, frozen=True, kw_only=True):
    """One meter or plan; `version` is the meter's from now on, `fields` are those that differ."""

    what: Literal["meter", "plan"]
    name: str
    change: Literal["added", "changed", "new version", "removed"]
    version: int | None = None
    fields: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The change as a sentence.

        >>> CatalogueChange(what="meter", name="gb", change="new version", version=2, fields=("places",)).words
        'meter gb: new version 2 (places)'
        """
        version = f" {self.version}" if self.change == "new version" else ""
        return f"{self.what} {self.name}: {self.change}{version}" + (f" ({', '.join(self.fields)})" * bool(self.fields))


def following(wanted: Catalogue, present: Catalogue) -> Catalogue:
    """The wanted catalogue as it follows on the present one, which alone decides the versions of meters.

    A meter that would count otherwise gets the next version, as does one that comes back; what it was moves to
    `former`. Display name and unit change in place.
    """
    known = {meter.name: meter for meter in present.meters}
    latest: dict[str, int] = {}
    for meter in (*present.former, *present.meters):
        latest[meter.name] = max(meter.version, latest.get(meter.name, 0))
    meters = []
    for meter in wanted.meters:
        before = known.get(meter.name)
        same = before is not None and not differing(meter, before, COUNTING)
        meters.append(
            msgspec.structs.replace(meter, version=latest[meter.name] if same else 1 + latest.get(meter.name, 0))
        )
    kept = {meter.key for meter in meters}
    former = (*present.former, *(meter for meter in present.meters if meter.key not in kept))
    return Catalogue(meters=tuple(meters), plans=wanted.plans, former=former, version=present.version)


def differences(present: Catalogue, following: Catalogue) -> list[CatalogueChange]:
    """Meters first, in the order of the new catalogue, then what is removed; the same of plans."""
    before, after = _by_name(present.meters), _by_name(following.meters)
    plans_before, plans_after = _by_name(present.plans), _by_name(following.plans)
    return [
        *(change for name in after if (change := _of_meter(name, before.get(name), after[name]))),
        *(CatalogueChange(what="meter", name=name, change="removed") for name in before if name not in after),
        *(change for name in plans_after if (change := _of_plan(name, plans_before.get(name), plans_after[name]))),
        *(
            CatalogueChange(what="plan", name=name, change="removed")
            for name in plans_before
            if name not in plans_after
        ),
    ]


def differing(one: msgspec.Struct, other: msgspec.Struct, fields: Sequence[str]) -> tuple[str, ...]:
    """Which of the fields two structs have different values in."""
    return tuple(field for field in fields if getattr(one, field) != getattr(other, field))


def _of_meter(name: str, before: Meter | None, after: Meter) -> CatalogueChange | None:
    if before is None:
        return CatalogueChange(what="meter", name=name, change="added", version=after.version)
    fields = differing(before, after, [field for field in Meter.__struct_fields__ if field != "version"])
    if not fields and before.version == after.version:
        return None
    change: Literal["changed", "new version"] = "changed" if before.version == after.version else "new version"
    return CatalogueChange(what="meter", name=name, change=change, version=after.version, fields=fields)


def _of_plan(name: str, before: Plan | None, after: Plan) -> CatalogueChange | None:
    if before is None:
        return CatalogueChange(what="plan", name=name, change="added")
    fields = differing(before, after, Plan.__struct_fields__)
    return CatalogueChange(what="plan", name=name, change="changed", fields=fields) if fields else None


def _by_name(rows: Sequence[Meter] | Sequence[Plan]) -> Mapping[str, Any]:
    return {row.id if isinstance(row, Plan) else row.name: row for row in rows}
