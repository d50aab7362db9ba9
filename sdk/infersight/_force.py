"""Who may force the detail of a request to be sent: `X-Infersight-Trace: 1` with a secret, or from known addresses."""

import hmac
import ipaddress
from collections.abc import MutableMapping
from typing import Any, Final

from infersight._config import Options

_TRACE: Final = b"x-infersight-trace"
_SECRET: Final = b"x-infersight-trace-secret"


class TraceForcing:
    """Decides it for each request.

    Args:
        options: the secret and the addresses; without either, nobody may.
    """

    def __init__(self, options: Options) -> None:
        self._secret = None if options.trace_secret is None else options.trace_secret.encode()
        self._networks = [ipaddress.ip_network(network) for network in options.trace_allow]
        self.is_possible = self._secret is not None or bool(self._networks)

    def allows(self, scope: MutableMapping[str, Any]) -> bool:
        """Whether the request of this ASGI scope asks for it, and may.

        The address is that of the connection; behind a proxy it is the proxy's, unless the server is told to believe
        the proxy's headers (`uvicorn --proxy-headers`).
        """
        headers: list[tuple[bytes, bytes]] = scope.get("headers", [])
        if not self.is_possible or (_TRACE, b"1") not in headers:
            return False
        if self._secret is not None:
            given = next((value for key, value in headers if key == _SECRET), b"")
            if hmac.compare_digest(given, self._secret):  # in constant time
                return True
        return self._is_allowed(scope.get("client"))

    def _is_allowed(self, client: tuple[str, int] | None) -> bool:
        if client is None or not self._networks:
            return False
        try:
            address = ipaddress.ip_address(client[0])
        except ValueError:  # a Unix socket has no address
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)
