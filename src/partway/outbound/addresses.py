"""Which IP addresses a stranger may make this server connect to; pure."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

_NAT64 = IPv6Network("64:ff9b::/96")
"""An IPv4 address in its last 32 bits, which a translator takes out again (RFC 6052, 2.1)."""


def is_public(address: Address) -> bool:
    """Whether an address belongs to the internet at large.

    Not loopback, link-local, private, shared (RFC 6598), reserved, multicast or unspecified ones; and none that
    carries such an IPv4 address within itself, mapped, translated or tunnelled.
    """
    if isinstance(address, IPv6Address):
        if (inner := _carried(address)) is not None:
            return is_public(inner)
        if address.is_site_local or address.sixtofour is not None or address.teredo is not None:
            # Tunnels end wherever their address says, and nobody serves from behind one any more.
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved and not address.is_unspecified


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
