"""The catalogue in force, and policies, as they lie in Redis.

The catalogue is a document in the operators' slot, or the one that VeloFlux ships as long as there is none.

Each request, command or job that needs the catalogue reads it; a process decodes the same text once.
"""

import functools

import msgspec

from veloflux.context import PLATFORM
from veloflux.db import documents, keys
from veloflux.db.client import Db
from veloflux.db.documents import Entity
from veloflux.plans.catalogue import Catalogue, catalogue
from veloflux.plans.overrides import Overrides
from veloflux.plans.schedule import NO_SCHEDULE, Schedule


class CatalogueText(Entity, frozen=True, kw_only=True):
    """A catalogue as JSON; the document's version is the catalogue's."""

    id: str = "catalogue"
    text: str


def text_of(of: Catalogue) -> str:
    """A catalogue as its document keeps it: without the version, which the document has."""
    return msgspec.json.encode(msgspec.structs.replace(of, version=0)).decode()


async def read_catalogue(db: Db) -> Catalogue:
    """The catalogue in force."""
    found = await find_catalogue(db)
    return from_document(found)


async def find_catalogue(db: Db) -> CatalogueText | None:
    """The document, for who changes it; None while the shipped catalogue is in force."""
    return documents.from_pairs(CatalogueText, await db.call("HGETALL", keys.catalogue(PLATFORM)))


def from_document(found: CatalogueText | None) -> Catalogue:
    """The catalogue that a document has."""
    if found is None:
        return catalogue()
    return _decoded(found.text, found.version)


@functools.lru_cache(maxsize=2)
def _decoded(text: str, version: int) -> Catalogue:
    of = msgspec.json.decode(text, type=Catalogue)
    return msgspec.structs.replace(of, version=version)


async def policy_text(db: Db, tenant: str) -> str | None:
    """A tenant's policy; None: there is no such tenant."""
    text: str | None = await db.call("HGET", keys.limits(tenant), "policy")
    return text


async def policy_version(db: Db, tenant: str) -> str | None:
    """What tells it from another one."""
    found: str | None = await db.call("HGET", keys.limits(tenant), "version")
    return found


async def find_overrides(db: Db, tenant: str) -> Overrides | None:
    return documents.from_pairs(Overrides, await db.call("HGETALL", keys.overrides(tenant)))


async def find_schedule(db: Db, tenant: str) -> Schedule:
    """`NO_SCHEDULE` while billing has written none."""
    found = documents.from_pairs(Schedule, await db.call("HGETALL", keys.billing_schedule(tenant)))
    return found or NO_SCHEDULE
