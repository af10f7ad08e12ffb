"""What a proxy says of the request it passes on, believed from the proxies that are trusted and from nobody else.

``X-Forwarded-For``, ``-Proto`` and ``-Host``, or ``Forwarded`` (RFC 7239) when there is none of those. Each proxy adds
what it has seen at the right end, and anybody can write anything at the left: the first one from the right that no
trusted proxy has, is the client.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

Network = IPv4Network | IPv6Network

_HOPS_MOST = 32
_PAIR = re.compile(r'\s*([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^\s;,"]*)\s*')
_HOST = re.compile(r"[A-Za-z0-9.\-_:\[\]]{1,260}")


@dataclass(frozen=True, slots=True)
class Hop:
    """What one proxy has seen: who asked it, by which scheme, for which host; empty where it doesn't say."""

    client: str = ""
    scheme: str = ""
    host: str = ""


class Forwarded:
    """Wraps the whole app: client, scheme and Host become those of whoever asked the outermost trusted proxy.

    Args:
        trusted: the networks of the proxies.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[Network]) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope.get("client") and self._is_trusted(scope["client"][0]):
            scope = self._as_asked(scope)
        await self._app(scope, receive, send)

    def _as_asked(self, scope: Scope) -> Scope:
        hop = self._outermost(hops_of(Headers(scope=scope)))
        asked = dict(scope)
        if address := _address_of(hop.client):
            asked["client"] = (str(address), 0)
        if hop.scheme.lower() in ("http", "https"):
            asked["scheme"] = hop.scheme.lower()
        if _HOST.fullmatch(hop.host):
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            asked["headers"] = [*others, (b"host", hop.host.encode("ascii"))]
        return asked

    def _outermost(self, hops: Sequence[Hop]) -> Hop:
        for hop in reversed(hops[-_HOPS_MOST:]):
            if not self._is_trusted(hop.client):
                return hop
        return hops[0] if hops else Hop()

    def _is_trusted(self, client: str) -> bool:
        address = _address_of(client)
        return address is not None and any(address in network for network in self._trusted)


def hops_of(headers: Headers) -> list[Hop]:
    """What the proxies say, the nearest one last."""
    clients, schemes, hosts = (_listed(headers, f"x-forwarded-{name}") for name in ("for", "proto", "host"))
    if not clients and not schemes and not hosts:
        return [_hop(element) for element in _elements(",".join(headers.getlist("forwarded")))]
    count = max(len(clients), 1)
    return [
        Hop(clients[at] if clients else "", _beside(schemes, at, count), _beside(hosts, at, count))
        for at in range(count)
    ]


def _beside(values: Sequence[str], at: int, count: int) -> str:
    """The value of a hop: its own where every proxy has added one, else the nearest proxy's, who has set it anew."""
    if not values:
        return ""
    return values[at] if len(values) == count else values[-1]


def _listed(headers: Headers, name: str) -> list[str]:
    return [value.strip() for line in headers.getlist(name) for value in line.split(",") if value.strip()]


def _elements(text: str) -> list[list[tuple[str, str]]]:
    """The elements of a ``Forwarded`` list, each as its pairs; what is malformed ends the list."""
    elements: list[list[tuple[str, str]]] = [[]]
    position = 0
    while found := _PAIR.match(text, position):
        value = found[2]
        if value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        elements[-1].append((found[1].lower(), value))
        position = found.end()
        separator = text[position : position + 1]
        if separator == ",":
            elements.append([])
        elif separator != ";":
            break
        position += 1
    if position < len(text):
        # Nobody knows whose words the rest is.
        return []
    return [element for element in elements if element]


def _hop(element: Sequence[tuple[str, str]]) -> Hop:
    said = dict(element)
    return Hop(said.get("for", ""), said.get("proto", ""), said.get("host", ""))


def _address_of(text: str) -> IPv4Address | IPv6Address | None:
    """An address that may have a port; IPv6 with brackets where it has one."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
