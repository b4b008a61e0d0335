"""Whose address is it? What limits count by, and what may be connected to."""

import asyncio
import socket
from ipaddress import ip_address, ip_network

from veloflux.errors import InputInvalid

IPV6_PREFIX = 64
NAT64 = ip_network("64:ff9b::/96")


def customer_network(address: str) -> str:
    """What counts as one address: an IPv4 address, or an IPv6 network of 64 bits, since that is one customer's.

    >>> customer_network("2001:db8::1:2"), customer_network("203.0.113.7"), customer_network("::ffff:203.0.113.7")
    ('2001:db8::/64', '203.0.113.7', '203.0.113.7')

    Anything else counts as itself:

    >>> customer_network("")
    ''
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(parsed.ipv4_mapped or ip_network((parsed, IPV6_PREFIX), strict=False))


async def reachable_address(host: str, port: int, *, private: bool) -> str:
    """The address to connect to, so that a name which somebody typed leads nowhere but into the Internet.

    The caller connects to this very address: asked a second time, the name could lead elsewhere.

    :param private: loopback and private networks are allowed too.
    :raises InputInvalid: the name leads nowhere, or to a place that is not allowed.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise InputInvalid(f"The host {host[:100]!r} cannot be found; check how it is written") from None
    addresses = [str(place[4][0]) for place in found]
    if not private and not all(is_public(address) for address in addresses):
        raise InputInvalid(f"The host {host[:100]!r} is in a private network; only public ones may be asked")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address is one of the Internet, also where it carries an IPv4 address.

    >>> is_public("93.184.216.34"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1"), is_public("fe80::1%2")
    (True, False, False, False)
    """
    parsed = ip_address(address.partition("%")[0])
    if parsed.version == 6 and (parsed.sixtofour or parsed.teredo or parsed in NAT64):
        return False
    inner = parsed.ipv4_mapped if parsed.version == 6 else None
    return (inner or parsed).is_global and not parsed.is_multicast
