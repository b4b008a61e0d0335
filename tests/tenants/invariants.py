"""What must be true of people, tenants and memberships whenever the worker is at rest."""

import re
from ast import literal_eval
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from tests import image
from veloflux.context import PLATFORM
from veloflux.db.client import Db
from veloflux.db.names import Claim
from veloflux.identity.store import email_name
from veloflux.plans import Policy
from veloflux.tenants.model import IN_USE, TO_RESTORE
from veloflux.tenants.store import slug_name

_parsed = lru_cache(100_000)(literal_eval)  # most of a database is as it was when it was read before
HASH = re.compile(r"vf:(?:tenant|user):\{(\w+)}")


class Found:
    """A whole database, read once."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = {key: _parsed(value) for key, value in values.items()}

    def hash(self, key: str) -> dict[str, str]:
        return dict(self.values.get(key, []))

    def ranked(self, key: str) -> set[str]:
        return set(self.values.get(key, [])[::2])

    def owners(self, prefix: str) -> dict[str, dict[str, str]]:
        """The documents of all tenants (`ten`) or people (`usr`)."""
        found = {match[1]: key for key in self.values if (match := HASH.fullmatch(key))}
        return {owner: self.hash(key) for owner, key in found.items() if owner.startswith(prefix)}

    @property
    def events(self) -> Counter[str]:
        """How often each event stands in any stream."""
        streams = [value for key, value in self.values.items() if key.endswith("}:events")]
        return Counter(fields[fields.index("name") + 1] for stream in streams for _, fields in stream)

    @property
    def broken(self) -> list[str]:
        """A sentence for everything that is not as it must be."""
        return [*_memberships(self), *_lists(self), *_names(self), *_policies(self)]


async def read(db: Db) -> Found:
    return Found(await image.values(db))


def _memberships(found: Found) -> Iterator[str]:
    decided: dict[str, dict[str, str]] = defaultdict(dict)
    projected: dict[str, dict[str, str]] = defaultdict(dict)
    for key in found.values:
        if match := re.fullmatch(r"vf:tenant:\{(\w+)}:member:(\w+)", key):
            decided[match[1]][match[2]] = found.hash(key)["role"]
        elif match := re.fullmatch(r"vf:user:\{(\w+)}:tenants", key):
            for tenant, role in found.hash(key).items():
                projected[tenant][match[1]] = role
    if decided != projected:
        yield f"the tenants say {dict(decided)}, the people's lists {dict(projected)}"
    for tenant, document in found.owners("ten").items():
        roles = decided[tenant]
        if found.ranked(f"vf:tenant:{{{tenant}}}:members") != roles.keys():
            yield f"the list of the members of {tenant} is not {sorted(roles)}"
        heads = sum(role in {"owner", "operator"} for role in roles.values())
        if int(document.get("owners", 0)) != heads and document["status"] != "deleted":
            yield f"{tenant} counts {document.get('owners')} owners and has {heads}"


def _lists(found: Found) -> Iterator[str]:
    tenants = {tenant: one for tenant, one in found.owners("ten").items() if tenant != PLATFORM}
    for key, states in (("vf:tenants", IN_USE), ("vf:tenants:archived", TO_RESTORE)):
        if found.ranked(key) != {tenant for tenant, one in tenants.items() if one["status"] in states}:
            yield f"{key} is {found.ranked(key)}, though the tenants are {tenants}"
    for tenant, one in tenants.items():
        limits = found.hash(f"vf:tenant:{{{tenant}}}:limits")
        if limits and limits.get("status", "active") != one["status"]:
            yield f"checks take {tenant} for something else than {one['status']}"
    people = {user for user, one in found.owners("usr").items() if one["status"] != "erased"}
    if found.ranked("vf:users") != people:
        yield f"the list of people is {found.ranked('vf:users')}, though the people are {people}"
    indexed = {entry.rpartition("\0")[2] for entry in found.ranked("vf:users:search")}
    if indexed != people:
        yield f"the search knows {indexed}, though the people are {people}"


def _policies(found: Found) -> Iterator[str]:
    """What checks decide with is of the tenant's plan, of its overrides and of the catalogue in force."""
    in_force = int(found.hash(f"vf:tenant:{{{PLATFORM}}}:catalogue").get("version", 0))
    walk = found.hash(f"vf:tenant:{{{PLATFORM}}}:rollout")
    if walk and not walk.get("finished_at"):
        yield f"the tenants' policies do not follow the catalogue any further: {walk}"
    for tenant, one in found.owners("ten").items():
        limits = found.hash(f"vf:tenant:{{{tenant}}}:limits")
        if tenant == PLATFORM or one["status"] == "deleted":
            continue
        policy = msgspec.json.decode(limits["policy"], type=Policy)
        rows = found.hash(f"vf:tenant:{{{tenant}}}:overrides").get("rows", "{}")
        held = (policy.catalogue, policy.plan, policy.fails_open, len(policy.overrides))
        if held != (in_force, one["plan"], one.get("fails_open") == "true", len(msgspec.json.decode(rows))):
            yield f"checks of {tenant} decide with {policy}, though it is {one} with {rows}"


def _reachable(found: Found) -> list[tuple[str, dict[str, str]]]:
    """People who have an address, which the erased have not."""
    return [(id_, one) for id_, one in found.owners("usr").items() if one.get("email_digest")]


def _names(found: Found) -> Iterator[str]:
    """Each document's names are its own; a name that was confirmed is carried."""
    carried = {slug_name(one["slug"]).key: id_ for id_, one in found.owners("ten").items() if one.get("slug")}
    carried |= {email_name(one["email_digest"]).key: id_ for id_, one in _reachable(found)}
    carried = {key: id_ for key, id_ in carried.items() if id_ != PLATFORM}
    claims = {
        key: msgspec.json.decode(value, type=Claim) for key, value in found.values.items() if key.startswith("vf:name:")
    }
    for key, id_ in carried.items():
        if key not in claims or claims[key].owner != id_:
            yield f"the name {key} of {id_} leads to {claims.get(key)}"
    for key, claim in claims.items():
        if claim.confirmed and carried.get(key) != claim.owner:
            yield f"the name {key} leads to {claim.owner}, who does not have it"
