"""Credits that operators give a tenant, beyond its quotas: a grant, and its instances, from which scripts burn.

A grant that recurs has an instance for each period; any other has one. An instance is a field of the hash that the
scripts count in: `amount|left|priority|starts|expires`, amounts in the places of the meter, times in epoch ms.
"""

from decimal import Decimal
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

from veloflux.db.documents import Entity, Owned
from veloflux.kit import clock
from veloflux.limits.recurrence import Recurrence, period_at, period_name, period_start
from veloflux.metering.measure import shown

INSTANCES_MAX = 100
"""How many instances a meter of a tenant may have at a time, which bounds what a check reads."""
AMOUNT_MAX = 2**53 // INSTANCES_MAX
"""In the places of a meter: so large that the sum of all instances is exact in a script."""
ROLLS_MAX = 12
KEPT_MS = clock.MINUTE_MS
"""How long an instance that ended stays, since the clocks of Redis and of a worker may differ."""

Time = Annotated[int, Meta(ge=clock.EARLIEST, lt=clock.LATEST, description="Epoch ms of the tenant's clock")]


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is granted: whole units of a meter, to be burned from the lowest `priority` on.

    `starts_at` null: now. After `expires_at` nothing of it is good, nor does it recur. What is unused of a period stays
    good for `rolls_over` further ones.
    """

    meter: Annotated[str, Meta(min_length=1, max_length=60, examples=["requests"])]
    amount: Annotated[int, Meta(ge=1, lt=2**53, description="Whole units", examples=[1_000])]
    priority: Annotated[int, Meta(ge=0, le=100, description="0 is burned first")] = 50
    starts_at: Time | None = None
    expires_at: Time | None = None
    recurrence: Recurrence = "none"
    rolls_over: Annotated[int, Meta(ge=0, le=ROLLS_MAX, description="Further periods")] = 0
    note: Annotated[str, Meta(max_length=200, examples=["For the outage of Monday"])] = ""


class Grant(Entity, frozen=True, kw_only=True):
    """`meter_key` and `places` are of the version of the meter that it was given for; `made` is the number of the last
    period that has an instance, -1 none. Times in epoch ms of the tenant's clock."""

    meter: str
    meter_key: str
    places: int
    amount: int
    priority: int
    starts_at: int
    expires_at: int | None = None
    recurrence: Recurrence
    rolls_over: int
    note: Owned = ""
    status: Literal["active", "void"] = "active"
    made: int = -1
    created_at: int

    @property
    def slots(self) -> int:
        """How many instances it can have at a time: the rolled-over, the present and the next one."""
        return 1 if self.recurrence == "none" else self.rolls_over + 2


class Instance(NamedTuple):
    """A field of the state; `expires` None: never. Amounts in the places of the meter."""

    id: str
    amount: int
    left: int
    priority: int
    starts: int
    expires: int | None

    @property
    def grant(self) -> str:
        return self.id.partition(":")[0]

    @property
    def text(self) -> str:
        """As the scripts read it.

        >>> Instance("grt_1", 5, 5, 50, 0, None).text
        '5|5|50|0|'
        """
        ends = "" if self.expires is None else self.expires
        return f"{self.amount}|{self.left}|{self.priority}|{self.starts}|{ends}"

    def good(self, now: int) -> bool:
        """Whether it can be burned."""
        return self.left > 0 and self.starts <= now and (self.expires is None or now < self.expires)

    def over(self, now: int) -> bool:
        """Whether nothing can become of it any more."""
        if self.expires is None:
            return self.left == 0
        return self.expires + KEPT_MS <= now


class InstanceShown(msgspec.Struct, frozen=True, kw_only=True):
    """Units of the meter; times in epoch ms, `expires_at` null: never."""

    amount: int | Decimal
    left: int | Decimal
    starts_at: int
    expires_at: int | None


class GrantShown(msgspec.Struct, frozen=True, kw_only=True):
    """`left` is what can be burned now; `instances` are those that did not end, also the next one of a recurring grant.

    `amount` is of each period.
    """

    id: str
    meter: str
    amount: int
    left: int | Decimal
    priority: int
    starts_at: int
    expires_at: int | None
    recurrence: Recurrence
    rolls_over: int
    note: str
    status: Literal["active", "void"]
    created_at: int
    instances: list[InstanceShown]


def read_instance(id_: str, text: str) -> Instance:
    """The other way round.

    >>> read_instance("grt_1", "5|3|50|0|9")
    Instance(id='grt_1', amount=5, left=3, priority=50, starts=0, expires=9)
    """
    amount, left, priority, starts, expires = text.split("|")
    return Instance(id_, int(amount), int(left), int(priority), int(starts), int(expires) if expires else None)


def to_make(grant: Grant, zone: str, now: int) -> range:
    """The numbers of the periods that shall have an instance and have none: the present and the next one.

    Those that passed while nobody made them are left out.
    """
    if grant.recurrence == "none":
        return range(grant.made + 1, 1)
    present = period_at(grant.starts_at, grant.recurrence, zone, now)
    numbers = range(max(grant.made + 1, present, 0), present + 2)
    if grant.expires_at is None:
        return numbers
    begun = [number for number in numbers if _start(grant, zone, number) < grant.expires_at]
    return range(begun[0], begun[-1] + 1) if begun else range(0)


def instance_of(grant: Grant, zone: str, number: int) -> Instance:
    """The instance of a period, whole; its id is the grant's and the day on which the period begins."""
    amount, start = grant.amount * 10**grant.places, _start(grant, zone, number)
    if grant.recurrence == "none":
        return Instance(grant.id, amount, amount, grant.priority, start, grant.expires_at)
    name = period_name(grant.starts_at, grant.recurrence, zone, number)
    end = _start(grant, zone, number + 1 + grant.rolls_over)
    end = end if grant.expires_at is None else min(end, grant.expires_at)
    return Instance(f"{grant.id}:{name}", amount, amount, grant.priority, start, end)


def next_step(grant: Grant, zone: str) -> int | None:
    """When something is to be done about a grant next: its next period made, or its last instance taken out."""
    if grant.recurrence != "none":
        following = _start(grant, zone, grant.made + 1)
        if grant.expires_at is None or following < grant.expires_at:
            return _start(grant, zone, grant.made)
    return None if grant.expires_at is None else grant.expires_at + KEPT_MS


def as_shown(grant: Grant, instances: list[Instance], now: int) -> GrantShown:
    """A grant with what is left of its instances, the earliest first."""
    mine = sorted((one for one in instances if one.grant == grant.id and not one.over(now)), key=lambda one: one.starts)
    return GrantShown(
        id=grant.id,
        meter=grant.meter,
        amount=grant.amount,
        left=shown(sum(one.left for one in mine if one.good(now)), grant.places),
        priority=grant.priority,
        starts_at=grant.starts_at,
        expires_at=grant.expires_at,
        recurrence=grant.recurrence,
        rolls_over=grant.rolls_over,
        note=grant.note,
        status=grant.status,
        created_at=grant.created_at,
        instances=[
            InstanceShown(
                amount=shown(one.amount, grant.places),
                left=shown(one.left, grant.places),
                starts_at=one.starts,
                expires_at=one.expires,
            )
            for one in mine
        ],
    )


def _start(grant: Grant, zone: str, number: int) -> int:
    return period_start(grant.starts_at, grant.recurrence, zone, number)
