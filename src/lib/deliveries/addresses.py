"""Tells which network addresses a webhook may be delivered to: those of the public internet.

A name can be made to lead anywhere, to the metadata of a machine or into a private network, so what
counts is the address that a connection is made to.

Pure: no I/O.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Return whether the IP ``address`` is one of the public internet.

    Private, shared, loopback, link-local (169.254.169.254 among them), multicast, reserved and
    documentation's addresses are not, however they are wrapped into an IPv6 address.

    >>> is_public("9.9.9.9"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    """
    # A link-local address may come with the zone it is of.
    parsed = ip_address(address.partition("%")[0])
    return all(each.is_global and not each.is_multicast for each in (parsed, *_wrapped(parsed)))


def is_loopback(address: str) -> bool:
    """Return whether the IP ``address`` is this machine's own."""
    return ip_address(address).is_loopback


def _wrapped(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """Return the IPv4 addresses that an IPv6 one leads to, by whichever way."""
    if isinstance(address, IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        found.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    return [each for each in found if each is not None]
