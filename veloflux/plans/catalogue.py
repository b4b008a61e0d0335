"""The default catalogue: what is measured and what is sold, read from `catalogue.toml` beside this file."""

import functools
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from veloflux.errors import MeterUnknown, PlanUnknown

FILE = Path(__file__).parent / "catalogue.toml"
DAYS_SEEN = 35

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Amount = Annotated[int, Meta(ge=0, lt=2**53)]


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is written by hand or compared by its text."""


class Meter(Strict, frozen=True, kw_only=True):
    """Counts the events of one type, or sums one property of them.

    Amounts are integers of 10^-`places` of the unit, so that sums are exact.
    """

    name: Name
    event_type: Annotated[str, Meta(min_length=1, max_length=100)]
    aggregation: Literal["count", "sum"]
    property: str = ""
    unit: str
    places: Annotated[int, Meta(ge=0, le=9)] = 0


class Rate(Strict, frozen=True, kw_only=True):
    """`count` of a meter each `per_s` seconds, `burst` at once; for the whole tenant, each API key, or each address."""

    name: Name
    meter: Name
    count: Annotated[int, Meta(ge=1, le=1_000_000)]
    per_s: Annotated[int, Meta(ge=1, le=86_400)]
    burst: Annotated[int, Meta(ge=1, le=10_000_000)]
    per: Literal["tenant", "key", "address"] = "tenant"


class Plan(Strict, frozen=True, kw_only=True):
    """`quotas` is meter -> whole units a month; events older than `days_accepted` are refused."""

    id: Name
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    quotas: dict[Name, Amount] = {}
    rates: tuple[Rate, ...] = ()
    days_accepted: Annotated[int, Meta(ge=1, le=DAYS_SEEN)] = DAYS_SEEN

    def __post_init__(self) -> None:
        by_address = [rate.meter for rate in self.rates if rate.per == "address"]
        if len(by_address) > len(set(by_address)):
            raise ValueError("a meter can have one rate per address")


class Catalogue(Strict, frozen=True, kw_only=True):
    meters: tuple[Meter, ...]
    plans: tuple[Plan, ...]

    def __post_init__(self) -> None:
        known = {meter.name for meter in self.meters}
        for plan in self.plans:
            if unknown := {*plan.quotas, *(rate.meter for rate in plan.rates)} - known:
                raise ValueError(f"the plan {plan.id} names unknown meters: {', '.join(sorted(unknown))}")


@functools.cache
def catalogue() -> Catalogue:
    """The catalogue of this installation."""
    return parse(FILE.read_text("utf-8"))


def parse(text: str) -> Catalogue:
    """A catalogue from TOML.

    :raises msgspec.ValidationError, tomllib.TOMLDecodeError: not a catalogue.
    """
    return msgspec.convert(tomllib.loads(text), Catalogue)


def find_plan(plan: str) -> Plan:
    """:raises PlanUnknown: with the plans that there are."""
    for known in catalogue().plans:
        if known.id == plan:
            return known
    names = ", ".join(known.id for known in catalogue().plans)
    raise PlanUnknown(f"There is no plan {plan[:60]!r}; choose one of {names}", field="plan")


def find_meter(meter: str) -> Meter:
    """:raises MeterUnknown: with the meters that there are."""
    return pick_meter(catalogue().meters, meter)


def pick_meter(meters: tuple[Meter, ...], meter: str) -> Meter:
    """:raises MeterUnknown: with the meters that there are."""
    for known in meters:
        if known.name == meter:
            return known
    names = ", ".join(known.name for known in meters)
    raise MeterUnknown(f"There is no meter {meter[:60]!r}; choose one of {names}")
