"""Publishable API keys, `vf_pub_<tenant>_<secret>`: they may record events and nothing else, so a page can hold one.

Their digest is another one than a secret key of the same letters would have: whatever asks for a secret key, the script
of a check too, does not find them. Anybody can read them, so what comes with them is limited by address.
"""

import re

from veloflux.context import Actor, Parts
from veloflux.db import keys
from veloflux.errors import NotAuthenticated, OriginRefused
from veloflux.kit import clock, crypto, ids
from veloflux.kit.network import customer_network
from veloflux.kit.pace import Standing, pace
from veloflux.tenants import key_terms, store
from veloflux.tenants.api_keys import REFUSED, digest_of, key_id

START = "vf_pub_"
TOKEN = re.compile(r"vf_pub_([0-9a-z]{1,26})_([0-9a-z]{32})")
PACE = pace("60/min")
"""Requests with one key from one address: sixty at once, and then one a second."""


def is_publishable(token: str) -> bool:
    """Whether a token says of itself that it is a publishable key."""
    return token.startswith(START)


async def authenticate_publishable_key(parts: Parts, token: str, address: str, origin: str) -> Actor:
    """The actor that a publishable key's token is, in one round trip; `origin` is what the browser says, or "".

    :raises NotAuthenticated: there is no such key, it was revoked, has expired, or is not for this address.
    :raises OriginRefused: it is not for this origin. :raises LimitReached: too many requests from this address.
    """
    parsed = TOKEN.fullmatch(token)
    if parsed is None:
        raise NotAuthenticated(REFUSED)
    tenant, digest = f"ten_{parsed[1]}", digest_of("publishable", parsed[2])
    id_ = key_id(digest)
    limit = keys.publishable_limit(tenant, id_, _place(parts, address))
    key, ahead = await store.run_admit(parts.db, tenant, id_, limit, PACE)
    if key is None or not crypto.equal(key.digest, digest) or not key_terms.hold(key, address, clock.now_ms()):
        raise NotAuthenticated(REFUSED)
    if key.origins and origin not in key.origins:
        raise OriginRefused("This key may not be used by pages of this origin")
    return Actor(
        id=key.id,
        address=address,
        tenant=tenant,
        role=key.role,
        permissions=frozenset(key.permissions or ()),
        standing=Standing("key", PACE, ahead),
    )


def _place(parts: Parts, address: str) -> str:
    return ids.derived("adr", crypto.derive(parts.secrets.of("address"), customer_network(address)).hex())
