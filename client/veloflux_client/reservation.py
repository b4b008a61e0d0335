"""Units that are held for a while: the requests about them. No I/O."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from veloflux_client.buffer import log
from veloflux_client.errors import NotAllowed
from veloflux_client.model import Decision
from veloflux_client.protocol import Answer, Request, asking, read_decision


@dataclass(frozen=True, slots=True)
class Lease:
    """`cost` units of a meter, held until `until` (epoch ms) at the longest."""

    id: str
    meter: str
    cost: int
    until: int
    decision: Decision
    api_key: str
    tenant: str = ""

    def committing(self, cost: int) -> Request:
        """The request to count what it was."""
        return asking(f"/api/reservations/{self.id}/commit", self.api_key, cost=cost, tenant=self.tenant)

    def releasing(self) -> Request:
        """The request to give it back."""
        return asking(f"/api/reservations/{self.id}/release", self.api_key, tenant=self.tenant)


def reserving(api_key: str, id_: str, *, tenant: str, **members: object) -> tuple[Request, Callable[[Answer], Lease]]:
    """The request to hold units, and how its answer is read, which raises `NotAllowed` when there are not so many."""

    def read(answer: Answer) -> Lease:
        decision = read_decision(answer, id_)
        if not decision.allowed:
            raise NotAllowed(decision)
        told = json.loads(answer.body)
        return Lease(told["id"], told["meter"], told["cost"], told["until"], decision, api_key, tenant)

    return asking("/api/reservations", api_key, id=id_, tenant=tenant, **members), read


def log_unreleased(lease: Lease, error: Exception) -> None:
    """Say that the lease alone returns it."""
    log.warning(
        "Reservation %s of %d %s is not released; its lease ends it: %s", lease.id, lease.cost, lease.meter, error
    )
