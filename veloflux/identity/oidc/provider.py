"""What a provider says of itself: where to ask, and the keys that it signs with; remembered for an hour a process."""

from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

from veloflux.errors import InputInvalid, ProviderUnusable
from veloflux.identity.oidc import fetch
from veloflux.kit import clock
from veloflux.settings import Settings

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

WELL_KNOWN = "/.well-known/openid-configuration"
CACHED = 1_000
CACHED_S = 3_600.0
REFETCH_S = 60.0
"""Keys are fetched again for an unknown one at most so often: whoever forges tokens cannot make us ask."""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """What of OpenID Connect Discovery 1.0, 3 is needed."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class _Known(msgspec.Struct):
    value: "Provider | KeySet"
    at: float


_known: "OrderedDict[str, _Known]" = OrderedDict()


async def discover(settings: Settings, issuer: str) -> Provider:
    """The provider of an issuer.

    :raises ProviderUnusable: it does not answer, or not as it must.
    """
    found = _remembered(f"provider {issuer}", CACHED_S)
    if isinstance(found, Provider):
        return found
    status, body = await fetch.ask(settings, issuer.rstrip("/") + WELL_KNOWN)
    if status != 200:
        raise ProviderUnusable(f"The provider answers {status} at {issuer.rstrip('/')}{WELL_KNOWN}; check the issuer")
    try:
        provider = msgspec.convert(body, Provider)
    except msgspec.ValidationError as error:
        raise ProviderUnusable(f"The provider's configuration lacks something: {error}") from None
    if provider.issuer != issuer:
        raise ProviderUnusable(f"The provider calls itself {provider.issuer[:200]!r}; give the issuer exactly so")
    for url in (provider.authorization_endpoint, provider.token_endpoint, provider.jwks_uri):
        try:
            fetch.check_url(settings, url)
        except InputInvalid as error:
            raise ProviderUnusable(f"The provider names {url[:200]!r}: {error}") from None
    _remember(f"provider {issuer}", provider)
    return provider


async def keys_of(settings: Settings, provider: Provider, *, renewed: bool = False) -> "KeySet":
    """The keys that a provider signs with; `renewed`: not those remembered, unless they are a minute old at most.

    :raises ProviderUnusable: they cannot be had.
    """
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    place = f"keys {provider.issuer} {provider.jwks_uri}"
    found = _remembered(place, REFETCH_S if renewed else CACHED_S)
    if isinstance(found, KeySet):
        return found
    status, body = await fetch.ask(settings, provider.jwks_uri)
    try:
        keys = KeySet.import_key_set({"keys": body["keys"]})
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        raise ProviderUnusable(f"The provider's keys cannot be read (status {status})") from None
    _remember(place, keys)
    return keys


def forget() -> None:
    """Ask every provider anew."""
    _known.clear()


def _remembered(place: str, life_s: float) -> "Provider | KeySet | None":
    found = _known.get(place)
    return found.value if found and clock.monotonic() - found.at < life_s else None


def _remember(place: str, value: "Provider | KeySet") -> None:
    _known[place] = _Known(value, clock.monotonic())
    _known.move_to_end(place)
    while len(_known) > CACHED:
        _known.popitem(last=False)
