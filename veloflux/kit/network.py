"""Whose address is it? What limits count by."""

from ipaddress import ip_address, ip_network

IPV6_PREFIX = 64


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
