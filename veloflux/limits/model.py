"""What is asked, and what is decided."""

from decimal import Decimal

import msgspec

from veloflux.metering.model import SOURCE

COST_MAX = 1_000_000_000


class Question(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """May `cost` units of a meter be used now?

    `key` is id and digest of an API key, or None where the caller has verified who asks. An `id` counts once, for its
    source, and shares its space with the ids of events; without one every question counts.
    """

    meter: str
    cost: int = 1
    id: str = ""
    source: str = SOURCE
    key: tuple[str, str] | None = None
    address: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`limit`, `used` and `remaining` are of this month's quota, in units of the meter; no quota: None.

    `reset_at` is the end of the month in epoch ms. A refusal names the limit (`quota:requests`, `rate:per_second`) and
    the whole seconds until it lets this pass.
    """

    allowed: bool
    limit: int | Decimal | None
    used: int | Decimal
    remaining: int | Decimal | None
    reset_at: int
    refused_by: str = ""
    retry_after: int = 0
