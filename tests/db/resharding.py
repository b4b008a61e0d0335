"""Move slots between the masters of a running cluster, step by step, as `redis-cli --cluster` does."""

from typing import Any

import redis

from veloflux.db import keys

Client = redis.Redis


class Layout:
    """The masters of a cluster and who has which slot."""

    def __init__(self, url: str) -> None:
        seed = redis.Redis.from_url(url, decode_responses=True)
        found = seed.execute_command("CLUSTER", "SLOTS")
        self.masters = [redis.Redis(port=port, decode_responses=True) for port in sorted({_port(row) for row in found})]
        self._ids = {_port_of(master): master.execute_command("CLUSTER", "MYID") for master in self.masters}
        seed.close()

    def close(self) -> None:
        for master in self.masters:
            master.close()

    def owner(self, slot: int) -> Client:
        """The master of a slot now."""
        rows = self.masters[0].execute_command("CLUSTER", "SLOTS")
        ports = [_port(row) for row in rows if _first(row) <= slot <= _last(row)]
        return next(master for master in self.masters if _port_of(master) == ports[0])

    def another(self, slot: int) -> Client:
        """A master that has not this slot."""
        mine = self.owner(slot)
        return next(master for master in self.masters if master is not mine)

    def begin(self, slot: int, source: Client, target: Client) -> None:
        """From here on the source asks callers over to the target for each key that it has not."""
        self._set_slot(target, slot, "IMPORTING", source)
        self._set_slot(source, slot, "MIGRATING", target)

    def move_keys(self, slot: int, source: Client, target: Client, count: int = 1_000) -> None:
        """Hand over some of a slot's keys."""
        names = source.execute_command("CLUSTER", "GETKEYSINSLOT", slot, count)
        if names:
            source.execute_command("MIGRATE", "127.0.0.1", _port_of(target), "", 0, 5_000, "KEYS", *names)

    def end(self, slot: int, source: Client, target: Client) -> None:
        """The target has the slot."""
        for node in (target, source, *(m for m in self.masters if m not in (source, target))):
            self._set_slot(node, slot, "NODE", target)

    def move(self, slot: int, target: Client) -> None:
        source = self.owner(slot)
        if source is not target:
            self.begin(slot, source, target)
            while source.execute_command("CLUSTER", "COUNTKEYSINSLOT", slot):
                self.move_keys(slot, source, target)
            self.end(slot, source, target)

    def _set_slot(self, node: Client, slot: int, state: str, other: Client) -> None:
        node.execute_command("CLUSTER", "SETSLOT", slot, state, self._ids[_port_of(other)])


def slot_of(owner: str) -> int:
    return keys.slot(keys.tenant(owner))


def _port_of(client: Client) -> int:
    return int(client.connection_pool.connection_kwargs["port"])


def _first(row: list[Any]) -> int:
    return int(row[0])


def _last(row: list[Any]) -> int:
    return int(row[1])


def _port(row: list[Any]) -> int:
    return int(row[2][1])
