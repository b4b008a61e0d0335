"""Whose address a request comes from: the connection's, unless a trusted proxy says otherwise."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """The trusted proxies of the settings.

    :raises ValueError: not an address or network.
    """
    return tuple(ip_network(text, strict=False) for text in texts)


def client_address(peer: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """The nearest address, from the connection backwards through X-Forwarded-For, that is not a trusted proxy.

    >>> client_address("10.0.0.1", "6.6.6.6, 203.0.113.9", networks(["10.0.0.0/8"]))
    '203.0.113.9'
    >>> client_address("203.0.113.9", "1.1.1.1", networks(["10.0.0.0/8"]))
    '203.0.113.9'
    """
    address = peer
    for claimed in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
        if not _is_trusted(address, trusted):
            break
        if not _is_address(claimed):
            break
        address = claimed
    return address


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    return bool(trusted) and _is_address(address) and any(ip_address(address) in network for network in trusted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
