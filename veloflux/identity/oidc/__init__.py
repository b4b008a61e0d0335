"""OpenID Connect, as the party that relies on a provider: authorization code with PKCE, and nothing else.

- What comes from a provider is believed only after its ID token was checked (id_token.py); the rest of its answers is
  bounded in size and time, and asked nowhere but where it may be (fetch.py).
- A sign-in that began in one browser ends in that browser, once, within ten minutes (flow.py).
- Whose provider it is, and what it may decide, is the tenant's matter: veloflux.tenants.
"""

from veloflux.identity.oidc.fetch import check_url
from veloflux.identity.oidc.flow import Client, Started, begin, redeem, take_state
from veloflux.identity.oidc.id_token import Claims, verified
from veloflux.identity.oidc.provider import Provider, discover, forget, keys_of

__all__ = [
    "Claims",
    "Client",
    "Provider",
    "Started",
    "begin",
    "check_url",
    "discover",
    "forget",
    "keys_of",
    "redeem",
    "take_state",
    "verified",
]
