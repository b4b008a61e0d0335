"""What an API key is good for: which permissions, until when, from which addresses, how fast."""

import functools
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import msgspec

from veloflux.errors import InputInvalid
from veloflux.kit import clock
from veloflux.plans import Meter, pick_meter
from veloflux.plans.catalogue import SUMS, Rate
from veloflux.tenants import origins
from veloflux.tenants.model import ApiKey, KeyTerms

ADDRESSES_MAX = 50
METADATA_MAX = 50
METADATA_KEY_MAX = 40
METADATA_VALUE_MAX = 500
EVERYWHERE = "[]"
"""How a key's list of networks is kept when it has none."""
NO_RATES = "[]"
"""How a key's own rate limits are kept when it has none."""
RATES_MAX = 10


def checked(allowed: frozenset[str], terms: KeyTerms, now: int, meters: tuple[Meter, ...] = ()) -> KeyTerms:
    """The terms of a new key, whose role has the `allowed` permissions, in their one way of writing; `now` in
    epoch ms, `meters` what its own rates may be of.

    >>> checked(frozenset(), KeyTerms(addresses=("203.0.113.9", "2001:db8::1/32")), 0).addresses
    ('203.0.113.9/32', '2001:db8::/32')

    :raises InputInvalid: `field` says which. :raises MeterUnknown: a rate is of none of these meters.
    """
    check_metadata(terms.metadata)
    _check_expiry(terms.expires_at, now)
    return KeyTerms(
        permissions=_permissions(allowed, terms.permissions),
        expires_at=terms.expires_at,
        addresses=_networks(terms.addresses),
        origins=origins.checked(terms.origins),
        rates=_rates(terms.rates, meters),
        metadata=terms.metadata,
    )


def of(key: ApiKey) -> KeyTerms:
    """The terms that a key has."""
    return msgspec.convert(key, KeyTerms, from_attributes=True)


def hold(key: ApiKey, address: str, now: int) -> bool:
    """Whether a key may be used from an address at a time in epoch ms."""
    if key.expires_at is not None and key.expires_at <= now:
        return False
    return not key.addresses or _is_within(key.addresses, address)


def may_call_from(kept: str, address: str) -> bool:
    """Whether an address is within a key's list of networks, given as it is kept.

    >>> may_call_from('["203.0.113.0/24"]', "::ffff:203.0.113.9"), may_call_from('["203.0.113.0/24"]', "")
    (True, False)
    """
    return kept == EVERYWHERE or _is_within(_listed(kept), address)


def _permissions(allowed: frozenset[str], own: Sequence[str] | None) -> tuple[str, ...] | None:
    if own is None:
        return None
    if not own:
        raise InputInvalid("Name at least one permission, or none of the list for all of the role", field="permissions")
    if strange := sorted(set(own) - allowed):
        raise InputInvalid(f"The key's role does not include {strange[0][:60]!r}", field="permissions")
    return tuple(sorted(set(own)))


def _check_expiry(expires_at: int | None, now: int) -> None:
    if expires_at is not None and not now < expires_at < clock.LATEST:
        raise InputInvalid("expires_at is a time in epoch ms that is still to come, before 2100", field="expires_at")


def _rates(rates: Sequence[Rate], meters: tuple[Meter, ...]) -> tuple[Rate, ...]:
    if len(rates) > RATES_MAX or len({rate.name for rate in rates}) < len(rates):
        raise InputInvalid(f"A key has at most {RATES_MAX} rate limits, each of another name", field="rates")
    for rate in rates:
        meter = pick_meter(meters, rate.meter)
        if meter.aggregation not in SUMS:
            raise InputInvalid(f"The meter {rate.meter} does not count or sum; it has no rate", field="rates")
        try:
            rate.check(meter.places)
        except ValueError as error:
            raise InputInvalid(str(error), field="rates") from None
    return tuple(msgspec.structs.replace(rate, per="key") for rate in rates)


def _networks(texts: Sequence[str]) -> tuple[str, ...]:
    if len(texts) > ADDRESSES_MAX:
        raise InputInvalid(f"A key has at most {ADDRESSES_MAX} networks", field="addresses")
    return tuple(str(_network(text)) for text in texts)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        raise InputInvalid(
            f"{text[:60]!r} is no IP address or network; write 203.0.113.9, 203.0.113.0/24 or 2001:db8::/32",
            field="addresses",
        ) from None


def check_metadata(metadata: dict[str, str]) -> None:
    """:raises InputInvalid: too many entries, or too long ones."""
    if len(metadata) > METADATA_MAX:
        raise InputInvalid(f"metadata has at most {METADATA_MAX} entries", field="metadata")
    for name, value in metadata.items():
        if not 0 < len(name) <= METADATA_KEY_MAX or len(value) > METADATA_VALUE_MAX:
            raise InputInvalid(
                f"Names in metadata have 1 to {METADATA_KEY_MAX} characters, values at most {METADATA_VALUE_MAX}",
                field="metadata",
            )


@functools.lru_cache(maxsize=1_024)
def _listed(kept: str) -> tuple[str, ...]:
    return msgspec.json.decode(kept, type=tuple[str, ...])


@functools.lru_cache(maxsize=4_096)
def _is_within(networks: tuple[str, ...], address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return any(parsed in ip_network(network) for network in networks)
