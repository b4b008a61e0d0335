"""What operators give one tenant beside its plan: another quota, rate or feature, for good or until a time."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from veloflux.db.documents import Entity
from veloflux.kit.clock import EARLIEST, LATEST
from veloflux.plans.catalogue import LIMIT, Period, Value
from veloflux.plans.prices import Name, Strict

OVERRIDES_MAX = 100


class Override(Strict, frozen=True, kw_only=True):
    """`name` is the meter of a quota, a rate of the plan, or a feature.

    `value` is a quota in whole units (null: no quota), a rate such as `100/s`, or what the feature is. `until` is
    epoch ms of the tenant's clock; null: for good.
    """

    kind: Literal["quota", "rate", "feature"]
    name: Name
    value: Value | None = None
    period: Period = "month"
    hard: bool = True
    burst: Annotated[int, Meta(ge=0, le=10_000_000, description="0: as much as the rate")] = 0
    until: Annotated[int, Meta(ge=EARLIEST, lt=LATEST)] | None = None

    def __post_init__(self) -> None:
        value = self.value
        if self.kind == "quota" and isinstance(value, bool | str):
            raise ValueError("the value of a quota is a whole number, or null for none")
        if self.kind == "rate" and not (isinstance(value, str) and LIMIT.fullmatch(value)):
            raise ValueError("the value of a rate is written like 100/s or 5000/min")
        if self.kind == "feature" and value is None:
            raise ValueError("a feature needs a value")

    @property
    def key(self) -> str:
        """By what it is named: there is one at a time of each.

        >>> Override(kind="quota", name="requests", value=5).key, Override(kind="feature", name="sso", value=True).key
        ('quota:requests:month', 'feature:sso')
        """
        return f"{self.kind}:{self.name}" + (f":{self.period}" if self.kind == "quota" else "")


class Cap(Strict, frozen=True, kw_only=True):
    """A quota that a spend cap is turned into: so much of a meter, in its whole life, until a time (epoch ms of the
    tenant's clock). `limit` is in 10^-`places` units."""

    meter: Name
    limit: Annotated[int, Meta(ge=0)]
    places: Annotated[int, Meta(ge=0, le=9)] = 0
    until: Annotated[int, Meta(ge=EARLIEST, lt=LATEST)]


class Overrides(Entity, frozen=True, kw_only=True):
    """All that a tenant has, by their keys; `caps` by `<subscription> <meter>`, which only bound further."""

    id: str = "overrides"
    rows: dict[str, Override] = msgspec.field(default_factory=dict)
    caps: dict[str, Cap] = msgspec.field(default_factory=dict)
