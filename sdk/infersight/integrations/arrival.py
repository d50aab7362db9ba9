"""How long a request lay in the host's socket before the application saw it, by the kernel's own account."""

import socket
import struct
import sys
from typing import Any, Final

_LAST_DATA_RECEIVED: Final = struct.Struct("@52xI")
"""`tcpi_last_data_recv` of Linux's `struct tcp_info`, milliseconds."""


def seconds_in_socket(receive: object) -> float | None:
    """Seconds since the last bytes of a request's connection arrived on this host; None where nobody can tell.

    It is the time in which the server had not accepted the connection yet, or its event loop was busy. Known on Linux
    over TCP, to the kernel's tick of a few milliseconds, from servers whose `receive` is a method of what holds the
    connection, as uvicorn's is. While a large body is still arriving it is less than the wait.

    Args:
        receive: the server's own ASGI callable.
    """
    transport: Any = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None or sys.platform != "linux":
        return None
    try:
        connection = transport.get_extra_info("socket")
        said = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_RECEIVED.size)
        milliseconds: int = _LAST_DATA_RECEIVED.unpack(said)[0]
    except (AttributeError, OSError, struct.error):  # a Unix socket, or a transport of another kind
        return None
    return milliseconds / 1_000
