"""What becomes of the catalogue in force when another one is wanted, and how the two differ. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, TypeVar

import msgspec

from veloflux.plans.catalogue import Catalogue, Meter, Plan, Row, named
from veloflux.plans.terms import TERMS

COUNTING = ("event_type", "aggregation", "value_property", "group_by", "places")
"""What a meter's usage depends on: another value makes another version, which begins at nothing."""


What = Literal["meter", "plan", "add-on", "coupon", "tax"]
KINDS: Mapping[What, str] = MappingProxyType(
    {"meter": "meters", "plan": "plans", "add-on": "addons", "coupon": "coupons", "tax": "taxes"}
)
"""In which field of a catalogue they are."""
Versioned = TypeVar("Versioned", bound=Meter | Plan)


class CatalogueChange(msgspec.Struct, frozen=True, kw_only=True):
    """One thing of the catalogue; `version` is that of a meter or plan from now on, `fields` are those that differ."""

    what: What
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
    """The wanted catalogue as it follows on the present one, which alone decides the versions of meters and plans.

    A meter that would count otherwise gets the next version, as does a plan that would be billed otherwise, and one of
    either that comes back; what it was moves to `former` and `former_plans`. All else changes in place.
    """
    meters, former = _versions(wanted.meters, present.meters, present.former, COUNTING)
    plans, former_plans = _versions(wanted.plans, present.plans, present.former_plans, TERMS)
    return msgspec.structs.replace(
        wanted, meters=meters, former=former, plans=plans, former_plans=former_plans, version=present.version
    )


def _versions(
    wanted: Sequence[Versioned], present: Sequence[Versioned], former: Sequence[Versioned], fields: Sequence[str]
) -> tuple[tuple[Versioned, ...], tuple[Versioned, ...]]:
    """What is wanted with its versions, and all that was: what differs in one of the fields has the next version."""
    known = {named(row): row for row in present}
    latest: dict[str, int] = {}
    for one in (*former, *present):
        latest[named(one)] = max(one.version, latest.get(named(one), 0))
    rows: list[Versioned] = []
    for new in wanted:
        before, last = known.get(named(new)), latest.get(named(new), 0)
        same = before is not None and not differing(new, before, fields)
        rows.append(msgspec.structs.replace(new, version=last if same else last + 1))
    kept = {(named(row), row.version) for row in rows}
    gone = [row for row in present if (named(row), row.version) not in kept]
    return tuple(rows), (*former, *gone)


def differences(present: Catalogue, following: Catalogue) -> list[CatalogueChange]:
    """Meters first, in the order of the new catalogue, then what is removed; the same of plans and all else."""
    return [
        change
        for what, rows in KINDS.items()
        for change in _of_kind(what, _by_name(getattr(present, rows)), _by_name(getattr(following, rows)))
    ]


def differing(one: msgspec.Struct, other: msgspec.Struct, fields: Sequence[str]) -> tuple[str, ...]:
    """Which of the fields two structs have different values in."""
    return tuple(field for field in fields if getattr(one, field) != getattr(other, field))


def _of_kind(what: What, before: Mapping[str, Row], after: Mapping[str, Row]) -> Iterator[CatalogueChange]:
    for name, row in after.items():
        if name not in before:
            yield CatalogueChange(what=what, name=name, change="added", version=_version(row))
        elif before[name] != row:
            yield _changed(what, before[name], row)
    for name in before:
        if name not in after:
            yield CatalogueChange(what=what, name=name, change="removed")


def _changed(what: What, before: Row, after: Row) -> CatalogueChange:
    fields = differing(before, after, [field for field in after.__struct_fields__ if field != "version"])
    change: Literal["changed", "new version"] = "changed" if _version(before) == _version(after) else "new version"
    return CatalogueChange(what=what, name=named(after), change=change, version=_version(after), fields=fields)


def _version(row: Row) -> int | None:
    return row.version if isinstance(row, Meter | Plan) else None


def _by_name(rows: Sequence[Row]) -> Mapping[str, Row]:
    return {named(row): row for row in rows}
