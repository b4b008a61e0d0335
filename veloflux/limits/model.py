"""What is asked, and what is decided."""

from decimal import Decimal

import msgspec

from veloflux.metering.model import SOURCE
from veloflux.plans.catalogue import Value

COST_MAX = 1_000_000_000
LEASE_MAX_S = 86_400

Amount = int | Decimal


class Question(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """May `cost` units of a meter be used now, and does the plan include a feature? One of the two at least.

    `key` is id and digest of an API key, or None where the caller has verified who asks. An `id` counts once, for its
    source, and shares its space with the ids of events; without one every question counts. `address` is what
    limits by address count, `caller` where the key is used from (None: at `address`), `route` what limits of a route
    are bound to. A cost may have the decimal places of its meter. A dry run decides and writes nothing.
    """

    meter: str = ""
    cost: int | float = 1
    id: str = ""
    source: str = SOURCE
    key: tuple[str, str] | None = None
    address: str = ""
    caller: str | None = None
    route: str = ""
    feature: str = ""
    dry_run: bool = False

    @property
    def used_from(self) -> str:
        return self.address if self.caller is None else self.caller


class RateState(msgspec.Struct, frozen=True, gc=False):
    """One rate limit: `limit` units may pass at once, or in `window` seconds; `remaining` of them may pass now, and in
    `reset` seconds the limit is whole again (of a log: the oldest leaves it)."""

    name: str
    limit: int
    window: int
    remaining: int
    reset: int


class QuotaState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The period of a quota: its length and what is left of it, in seconds; None: it has no end."""

    name: str
    window: int | None
    reset: int | None


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`limit`, `used` and `remaining` are of the quota that refuses, or else has the least left, in units of the meter;
    no quota: None, and `used` is of this month.

    `reset_at` is the end of its period in epoch ms, None: never. A refusal names the limit (`quota:requests`,
    `rate:per_second`) and the whole seconds until it lets this pass. `overage`: units beyond soft quotas; `credits`:
    units of this question that credits paid; `feature`: what the plan says of the one asked for; `watching`: limits in
    the shadow that would have refused. `failed_open`: nothing decided, Redis is away; it passes by the tenant's
    setting, is not counted, and has no figures (`used` is None). `quota`: whose figures these are.
    """

    allowed: bool
    limit: Amount | None = None
    used: Amount | None = 0
    remaining: Amount | None = None
    reset_at: int | None = None
    refused_by: str = ""
    retry_after: int = 0
    overage: Amount = 0
    credits: Amount = 0
    feature: Value | None = None
    rates: tuple[RateState, ...] = ()
    watching: tuple[str, ...] = ()
    failed_open: bool = False
    quota: QuotaState | None = None

    def fields(self) -> list[tuple[bytes, bytes]]:
        """RateLimit-Policy and RateLimit, each limit by the name that a refusal has for it; [] without limits.

        >>> rate = RateState(name="fast", limit=20, window=2, remaining=19, reset=1)
        >>> gb = QuotaState(name="quota:gb", window=60, reset=7)
        >>> decision = Decision(allowed=True, rates=(rate,), limit=9, remaining=Decimal("8.5"), quota=gb)
        >>> [value.decode() for _, value in decision.fields()]
        ['"rate:fast";q=20;w=2, "quota:gb";q=9;w=60', '"rate:fast";r=19;t=1, "quota:gb";r=8;t=7']
        """
        policies = [f'"rate:{one.name}";q={one.limit};w={one.window}' for one in self.rates]
        left = [f'"rate:{one.name}";r={one.remaining};t={one.reset}' for one in self.rates]
        if self.quota and self.limit is not None:
            name, window, reset = self.quota.name, self.quota.window, self.quota.reset
            policies.append(f'"{name}";q={int(self.limit)}' + (f";w={window}" if window is not None else ""))
            left.append(f'"{name}";r={int(self.remaining or 0)}' + (f";t={reset}" if reset is not None else ""))
        if not policies:
            return []
        return [(b"ratelimit-policy", ", ".join(policies).encode()), (b"ratelimit", ", ".join(left).encode())]


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """`cost` units are held for whoever reserved them until `until` (epoch ms of the real clock)."""

    id: str
    meter: str
    cost: int | float
    until: int
    decision: Decision


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a reservation: `committed` with a cost, or `released`; `late`: its lease was over."""

    id: str
    meter: str
    status: str
    cost: int | float
    late: bool = False
    decision: Decision | None = None
