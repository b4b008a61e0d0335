"""What is measured and what is sold. `catalogue.toml` beside this file is what VeloFlux ships."""

import functools
import math
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from veloflux.errors import MeterUnknown, PlanUnknown
from veloflux.plans.prices import AddOn, Coupon, Name, Strict, Tax, once
from veloflux.plans.terms import Terms

FILE = Path(__file__).parent / "catalogue.toml"
DAYS_SEEN = 35
LOG_MAX = 1_000
GROUPS_MAX = 3
THRESHOLDS_MAX = 10

Period = Literal["day", "month", "billing", "lifetime"]

Property = Annotated[str, Meta(min_length=1, max_length=100)]
Route = Annotated[str, Meta(max_length=200)]
Days = Annotated[int, Meta(ge=1, le=366)]
Amount = Annotated[int, Meta(ge=0, lt=2**53)]
Percent = Annotated[int, Meta(ge=1, le=1_000)]
Aggregation = Literal["count", "sum", "avg", "min", "max", "latest", "unique", "weighted_sum", "percentile"]
Value = bool | Annotated[int, Meta(ge=0, lt=2**53)] | Annotated[str, Meta(max_length=200)]

LIMIT = re.compile(r"([1-9][0-9]{0,6})/(s|min|h|d)")
SECONDS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}
SUMS = ("count", "sum")
"""The aggregations whose amounts add up as they come: those that can be limited and charged for."""


class Meter(Strict, frozen=True, kw_only=True):
    """Aggregates the events of one type: their number, or one property of their data; also by each of `group_by`.

    Amounts are integers of 10^-`places` of the unit, so that sums are exact.
    """

    name: Name
    display_name: Annotated[str, Meta(max_length=100)] = ""
    event_type: Annotated[str, Meta(min_length=1, max_length=100)]
    aggregation: Aggregation
    value_property: Annotated[str, Meta(max_length=100)] = ""
    group_by: tuple[Property, ...] = ()
    unit: Annotated[str, Meta(max_length=30)]
    places: Annotated[int, Meta(ge=0, le=9)] = 0
    version: Annotated[int, Meta(ge=1)] = 1

    def __post_init__(self) -> None:
        if bool(self.value_property) == (self.aggregation == "count"):
            raise ValueError(f"the meter {self.name} must name a value_property unless it counts")
        if len(self.group_by) > GROUPS_MAX:
            raise ValueError(f"the meter {self.name} has more than {GROUPS_MAX} properties in group_by")

    @property
    def key(self) -> str:
        """Its part of keys: each version counts apart.

        >>> Meter(name="gb", event_type="e", aggregation="count", unit="GB", version=2).key
        'gb__2'
        """
        return self.name if self.version == 1 else f"{self.name}__{self.version}"


class Rate(Strict, frozen=True, kw_only=True):
    """How much of a meter may pass in a time, such as `100/s` or `5000/min`, and how much at once (`burst`).

    For the whole tenant, each API key, or each address; with a `route` only for questions that name it. `gcra` and
    `log` are exact, `window` is an estimate; `log` ends at 1,000. One in the `shadow` refuses nothing.
    """

    name: Name
    meter: Name
    limit: Annotated[str, Meta(pattern=f"^{LIMIT.pattern}$")]
    burst: Annotated[int, Meta(ge=0, le=10_000_000, description="0: as much as the limit")] = 0
    per: Literal["tenant", "key", "address"] = "tenant"
    algorithm: Literal["gcra", "window", "log"] = "gcra"
    route: Route = ""
    shadow: bool = False

    def __post_init__(self) -> None:
        if self.algorithm != "gcra" and self.burst:
            raise ValueError(f"the rate {self.name} has a burst, which only gcra knows")
        self.check()

    def check(self, places: int = 0) -> None:
        """What its algorithm can hold, of a meter with so many places; a log may have as many entries as units.

        >>> Rate(name="r", meter="m", limit="100/s").check(places=6)
        Traceback (most recent call last):
        ValueError: the rate r is too fast for gcra, whose clock has microseconds; choose the algorithm window

        :raises ValueError: it is more, or GCRA would let pass over 1 % less than it says.
        """
        count, window_us = self.count * 10**places, self.per_s * 1_000_000
        if self.algorithm == "log" and count > LOG_MAX:
            raise ValueError(f"the rate {self.name} keeps a log, which ends at {LOG_MAX} of the meter's smallest unit")
        if self.algorithm == "gcra" and math.ceil(window_us / count) * count > 1.01 * window_us:
            raise ValueError(
                f"the rate {self.name} is too fast for gcra, whose clock has microseconds; choose the algorithm window"
            )

    @property
    def count(self) -> int:
        return int(self.limit.partition("/")[0])

    @property
    def per_s(self) -> int:
        return SECONDS[self.limit.partition("/")[2]]


class Quota(Strict, frozen=True, kw_only=True):
    """How many whole units of a meter a period may use: refused beyond it if `hard`, else marked as overage.

    At each percentage of `thresholds` an event is raised, once a period.
    """

    meter: Name
    limit: Amount
    period: Period = "month"
    hard: bool = True
    thresholds: tuple[Percent, ...] = (50, 80, 100)
    shadow: bool = False

    def __post_init__(self) -> None:
        if len(self.thresholds) > THRESHOLDS_MAX:
            raise ValueError(f"a quota of {self.meter} has more than {THRESHOLDS_MAX} thresholds")


class Plan(Terms, frozen=True, kw_only=True):
    """What is sold: limits, which change in place, and the terms by which it is billed, which have versions.

    Events older than `days_accepted` are refused; an id is remembered for `days_seen` at least.

    `when_exceeded`: what becomes of a tenant that has used more than a plan it moves to allows: it keeps the limits
    that it had until the period's end, passes with overage until then, or is blocked at once.
    """

    quotas: tuple[Quota, ...] = ()
    rates: tuple[Rate, ...] = ()
    features: dict[Name, Value] = msgspec.field(default_factory=dict)
    days_accepted: Days = DAYS_SEEN
    days_seen: Days = DAYS_SEEN
    when_exceeded: Literal["keep", "soft", "block"] = "keep"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.days_accepted > self.days_seen:
            raise ValueError(
                f"the plan {self.id} accepts events for longer than it remembers their ids: "
                "days_accepted is above days_seen"
            )
        once(f"the plan {self.id} has two rates", (rate.name for rate in self.rates))
        once(f"the plan {self.id} has two quotas", (f"{quota.meter} a {quota.period}" for quota in self.quotas))


class Catalogue(Strict, frozen=True, kw_only=True):
    """What is measured, sold, given and taken.

    `former` has the earlier versions of meters, whose usage stays as it was counted; `former_plans` those of plans,
    on which subscriptions stay until they are moved.

    `version` counts the changes of the catalogue in this installation: 0 is the one that VeloFlux ships.
    """

    meters: tuple[Meter, ...]
    plans: tuple[Plan, ...]
    addons: tuple[AddOn, ...] = ()
    coupons: tuple[Coupon, ...] = ()
    taxes: tuple[Tax, ...] = ()
    former: tuple[Meter, ...] = ()
    former_plans: tuple[Plan, ...] = ()
    version: Annotated[int, Meta(ge=0)] = 0

    def __post_init__(self) -> None:
        if not (self.meters and self.plans):
            raise ValueError("a catalogue has at least one meter and one plan")
        for kind in ("meters", "plans", "addons", "coupons", "taxes"):
            once(f"the catalogue has two {kind}", (named(row) for row in getattr(self, kind)))
        meters = {meter.name: meter for meter in self.meters}
        for plan in self.plans:
            _check_meters(plan, meters)
        for coupon in self.coupons:
            if unknown := sorted(set(coupon.plans) - {plan.id for plan in self.plans}):
                raise ValueError(f"the coupon {coupon.id} names unknown plans: {', '.join(unknown)}")


def _check_meters(plan: Plan, meters: dict[str, Meter]) -> None:
    limited = {*(quota.meter for quota in plan.quotas), *(rate.meter for rate in plan.rates)}
    if unknown := (limited | plan.meters) - meters.keys():
        raise ValueError(f"the plan {plan.id} names unknown meters: {', '.join(sorted(unknown))}")
    for does, names in {"limits": limited, "charges for": plan.meters}.items():
        if odd := sorted(name for name in names if meters[name].aggregation not in SUMS):
            raise ValueError(f"the plan {plan.id} {does} meters that do not count or sum: {', '.join(odd)}")
    for rate in plan.rates:
        rate.check(meters[rate.meter].places)


Row = Meter | Plan | AddOn | Coupon | Tax


def named(row: Row) -> str:
    """What tells it from others of its kind."""
    return row.name if isinstance(row, Meter) else row.id


@functools.cache
def catalogue() -> Catalogue:
    """The catalogue that VeloFlux ships: in force until an operator applies another one."""
    return parse(FILE.read_text("utf-8"))


def parse(text: str) -> Catalogue:
    """A catalogue from TOML.

    :raises msgspec.ValidationError, tomllib.TOMLDecodeError: not a catalogue.
    :raises PriceInvalid, PriceMissing, CurrencyUnknown: its prices contradict themselves.
    """
    return msgspec.convert(tomllib.loads(text), Catalogue)


def pick_plan(plans: tuple[Plan, ...], plan: str) -> Plan:
    """:raises PlanUnknown: with the plans that there are."""
    for known in plans:
        if known.id == plan:
            return known
    names = ", ".join(known.id for known in plans)
    raise PlanUnknown(f"There is no plan {plan[:60]!r}; choose one of {names}", field="plan")


def pick_version(of: Catalogue, plan: str, version: int) -> Plan:
    """A plan as it was, or is, in one of its versions.

    :raises PlanUnknown: it never had this version.
    """
    for known in (*of.plans, *of.former_plans):
        if (known.id, known.version) == (plan, version):
            return known
    raise PlanUnknown(f"The plan {plan[:60]!r} has no version {version}", field="plan")


def pick_meter(meters: tuple[Meter, ...], meter: str) -> Meter:
    """:raises MeterUnknown: with the meters that there are."""
    for known in meters:
        if known.name == meter:
            return known
    names = ", ".join(known.name for known in meters)
    raise MeterUnknown(f"There is no meter {meter[:60]!r}; choose one of {names}")
