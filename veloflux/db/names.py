"""Global names: each has at most one owner, and a crash anywhere strands none.

A claim is pending without a time limit; the owner's document decides. Whoever meets a claim pending for more than five
seconds asks the owner's slot: does the document carry the name? If not, the claim is fenced there (its commit expects
the fence absent) and released. Readers trust no claim: `resolve` looks into the owner's document.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from veloflux.db import keys, scripts
from veloflux.db.client import Db
from veloflux.db.commit import Commit
from veloflux.errors import NameTaken, NotSent, Unknown
from veloflux.kit import clock, crypto, ids

CONFIRM = scripts.load("names", "confirm")
RELEASE = scripts.load("names", "release")
JUDGE = scripts.load("names", "judge")
PENDING_MS = 5_000
TRIES = 3


class Name(msgspec.Struct, frozen=True):
    """A name of a `kind` (`email`, `slug`), as it stands in a `field` of its owner's document."""

    kind: str
    value: str
    field: str

    @property
    def key(self) -> str:
        return keys.name(self.kind, crypto.digest(self.value)[:40])


class Claim(msgspec.Struct, frozen=True):
    owner: str
    token: str
    since: int
    confirmed: bool = False

    def guard(self, commit: Commit) -> None:
        """Make a commit fail if this claim was fenced meanwhile."""
        commit.expect_absent(keys.fence(self.owner, self.token))


@asynccontextmanager
async def claimed(db: Db, name: Name, owner: str) -> AsyncIterator[Claim]:
    """Hold a name while the body commits `owner`'s document, which must carry it and be guarded by the claim.

    :raises NameTaken: another owner has it, or claims it right now.
    """
    claim = await _claim(db, name, owner)
    try:
        yield claim
    except (NotSent, Unknown):
        raise  # the commit may yet have happened: whoever looks will settle it
    except BaseException:
        await _settle(db, name, claim)
        raise
    await db.repeat(CONFIRM, [name.key], [_text(claim), _text(msgspec.structs.replace(claim, confirmed=True))])


async def resolve(db: Db, name: Name) -> str | None:
    """The owner whose document carries the name."""
    owner = await claimant(db, name)
    return owner if owner and await db.call("HGET", keys.owner(owner), name.field) == name.value else None


async def claimant(db: Db, name: Name) -> str | None:
    """Who claims the name: a hint for those who read the owner's document anyway, and look there."""
    text = await db.call("GET", name.key)
    return msgspec.json.decode(text, type=Claim).owner if text else None


async def release(db: Db, name: Name, owner: str) -> None:
    """Give back a name that the owner's document no longer carries."""
    text = await db.call("GET", name.key)
    if text is not None and (claim := msgspec.json.decode(text, type=Claim)).owner == owner:
        await _settle(db, name, claim)


async def _claim(db: Db, name: Name, owner: str) -> Claim:
    claim = Claim(owner, ids.new("clm"), clock.now_ms())
    for _ in range(TRIES):
        held = await db.call("SET", name.key, _text(claim), "NX", "GET")
        if held is None or held == _text(claim):
            return claim
        other = msgspec.json.decode(held, type=Claim)
        if not other.confirmed and clock.now_ms() - other.since < PENDING_MS:
            break
        if await _settle(db, name, other):
            break
    raise NameTaken(f"This {name.kind} is taken")


async def _settle(db: Db, name: Name, claim: Claim) -> bool:
    """Confirm or release a claim by what the owner's document says; True when it carries the name."""
    [verdict] = await db.repeat(
        JUDGE, [keys.owner(claim.owner), keys.fence(claim.owner, claim.token)], [name.field, name.value]
    )
    if verdict == "CARRIED":
        confirmed = msgspec.structs.replace(claim, confirmed=True)
        await db.repeat(CONFIRM, [name.key], [_text(claim), _text(confirmed)])
        return True
    await db.repeat(RELEASE, [name.key], [_text(claim)])
    return False


def _text(claim: Claim) -> str:
    return msgspec.json.encode(claim).decode()
