"""What a process remembers of a tenant between calls.

Nothing here decides: each script compares what the caller assumed with what is, and answers the truth when they differ.
"""

from collections import OrderedDict
from typing import Any

from veloflux.errors import NotFound, VeloFluxError
from veloflux.kit import clock, crypto
from veloflux.kit.turn import Turn
from veloflux.metering.quotas import Present, present
from veloflux.metering.seen import Seen
from veloflux.plans import Policy
from veloflux.plans.policy import from_text
from veloflux.tenants import closed_by, may_call_from
from veloflux.tenants.key_terms import EVERYWHERE, NO_RATES

TENANTS = 10_000
API_KEYS = 1_000
TRUSTED_S = 300.0
"""So long after it was found valid, an API key may pass where Redis is away."""


class Known:
    """One tenant: its policy, the state of its seen events, how far Redis' clock is ahead.

    `full` counts buckets that were found full and have not been split for; `turns` are what is asked in this turn of
    the event loop, by kind.
    """

    closed_through = 0
    """Epoch ms: what happened before is invoiced; from the code CLOSED."""

    def __init__(self) -> None:
        self.policy = Policy()
        self.version = ""
        self.frames: dict[str, object] = {}
        self.turns: dict[object, Turn[Any, Any]] = {}
        self.seen = Seen()
        self.full = 0
        self._quotas: Present | None = None
        self._ahead_ms = 0
        self._addresses: dict[str, str] = {}
        self._rates: dict[str, str] = {}
        self._trusted: dict[str, tuple[str, float]] = {}
        self._said_open = float("-inf")

    def real_now(self) -> int:
        """Redis' time in epoch ms, as far as is known."""
        return clock.now_ms() + self._ahead_ms

    def at(self, real: int) -> int:
        """The time of the tenant's clock at a real time, both in epoch ms."""
        return clock.apply(self.policy.clock, real)

    def now(self) -> int:
        """The time of the tenant's clock in epoch ms, as far as is known."""
        return self.at(self.real_now())

    def seen_now(self, events: int) -> tuple[Seen, str]:
        """The state in force when so many new events come: this one, or that of a new generation; the second is then
        its number of buckets, else ""."""
        real, seen_ms = self.real_now(), self.policy.seen_ms
        if not self.seen.is_over(real, seen_ms):
            return self.seen, ""
        due = self.seen.next(real, seen_ms, events)
        return due, str(due.buckets)

    def learn_policy(self, text: str, version: str) -> None:
        """From the code STALE."""
        self.policy, self.version = from_text(text), version
        self._quotas = None
        self.frames.clear()

    def quotas(self, now: int) -> Present:
        """The quotas that hold at a time of the tenant's clock, in their present periods."""
        found = self._quotas
        if found is None or not found.since <= now < found.until:
            found = self._quotas = present(self.policy, now)
        return found

    def addresses_for(self, api_key: str, address: str) -> str:
        """The list of networks of an API key, as far as is known, if it has the address; else one that no key has."""
        text = self._addresses.get(api_key, EVERYWHERE)
        return text if text is EVERYWHERE or may_call_from(text, address) else ""

    def learn_addresses(self, api_key: str, text: str) -> None:
        """From the code ADDRESS."""
        if len(self._addresses) >= API_KEYS:
            self._addresses.clear()
        self._addresses[api_key] = text

    def rates_of(self, api_key: str) -> str:
        """An API key's own rate limits, as they are kept, as far as is known."""
        return self._rates.get(api_key, NO_RATES)

    def learn_rates(self, api_key: str, text: str) -> None:
        """From the code OWN."""
        if len(self._rates) >= API_KEYS:
            self._rates.clear()
        self._rates[api_key] = text

    def trust(self, api_key: str, digest: str) -> None:
        """A script has just found an API key valid."""
        if len(self._trusted) >= API_KEYS and api_key not in self._trusted:
            self._trusted.clear()
        self._trusted[api_key] = digest, clock.monotonic()

    def distrust(self, api_key: str, digest: str) -> None:
        """A script has refused an API key; a wrong secret says nothing about the right one."""
        if crypto.equal(digest, self._trusted.get(api_key, ("", 0))[0]):
            del self._trusted[api_key]

    def trusts(self, api_key: str, digest: str, address: str) -> bool:
        """Whether an API key was found valid in the last minutes and may be used from an address."""
        known, at = self._trusted.get(api_key, ("", float("-inf")))
        is_fresh = clock.monotonic() - at < TRUSTED_S and self.addresses_for(api_key, address) != ""
        return is_fresh and crypto.equal(digest, known)

    def says_open(self, every_s: float) -> bool:
        """Whether it is time to say again that checks fail open."""
        if clock.monotonic() - self._said_open < every_s:
            return False
        self._said_open = clock.monotonic()
        return True

    def learn_time(self, real: int) -> None:
        """Redis' time in epoch ms."""
        self._ahead_ms = real - clock.now_ms()
        self.frames.clear()

    def learn_now(self, real: int, seen: str) -> None:
        """From the code ROLL."""
        self._ahead_ms = real - clock.now_ms()
        self.learn_seen(seen)
        self.frames.clear()

    def learn_seen(self, text: str) -> None:
        """From the script that splits."""
        self.seen = Seen.read(text)


_tenants: OrderedDict[str, Known] = OrderedDict()


def known(tenant: str) -> Known:
    """What this process remembers of a tenant; the least recently asked for are forgotten."""
    found = _tenants.get(tenant)
    if found is None:
        found = _tenants[tenant] = Known()
        if len(_tenants) > TENANTS:
            _tenants.popitem(last=False)
    else:
        _tenants.move_to_end(tenant)
    return found


def not_active(status: str | None) -> VeloFluxError:
    """What the code TENANT means to the caller."""
    if status is None:
        return NotFound("There is no such tenant")
    return closed_by(status)
