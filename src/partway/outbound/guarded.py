"""An HTTP client that connects to public addresses alone, whatever a name or a redirect says.

A name is resolved once, all its addresses are checked, and the connection goes to one of those just checked: a name
that points elsewhere a moment later (DNS rebinding) gains nothing. Host header, SNI and the name in the certificate
stay the URL's.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

import httpx2

from partway.errors import AddressRefused
from partway.outbound.addresses import is_public


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Resolves, checks, and connects to what it has checked.

    Args:
        allow_private: check nothing; for networks in which everybody who may name a URL is trusted.
    """

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        # Connections are not kept: two names of one address would share one, and its certificate.
        self._inner = httpx2.AsyncHTTPTransport(trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request; a redirect is another one, and so is checked like the first.

        Raises:
            AddressRefused: one of the addresses isn't public.
            httpx2.TransportError: as any transport.
        """
        host = request.url.raw_host.decode("ascii")
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        addresses = await self._resolve(host, port, request)
        for number, address in enumerate(addresses, 1):
            pinned = httpx2.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},
            )
            try:
                return await self._inner.handle_async_request(pinned)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                # Nothing of the request has been sent yet.
                if number == len(addresses):
                    raise
        raise httpx2.ConnectError(f"{host} has no address", request=request)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._inner.aclose()

    async def _resolve(self, host: str, port: int, request: httpx2.Request) -> list[str]:
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("connect")):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError as error:
            raise httpx2.ConnectTimeout(f"the name {host} could not be resolved in time", request=request) from error
        except (OSError, UnicodeError) as error:
            raise httpx2.ConnectError(f"the name {host} could not be resolved: {error}", request=request) from error
        # One with a zone ("%eth0") is link-local, and can't stand in a URL.
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not self._allow_private:
            for address in addresses:
                if "%" in address or not is_public(ip_address(address)):
                    raise AddressRefused(
                        f"{host} is {address}, which is not a public address; "
                        "the setting allow_private_addresses would permit it."
                    )
        return [address for address in addresses if "%" not in address]


def guarded_client(*, allow_private: bool, timeout_seconds: float) -> httpx2.AsyncClient:
    """A client for URLs that strangers name; no proxy or other wish of the environment, no cookies kept, no redirects.

    Args:
        timeout_seconds: for the connection, and for every read and write.
    """
    return httpx2.AsyncClient(
        transport=GuardedTransport(allow_private=allow_private),
        timeout=timeout_seconds,
        trust_env=False,
        follow_redirects=False,
    )
