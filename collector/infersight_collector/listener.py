"""Listening sockets."""

import socket
from typing import Final

from infersight_collector.config.values import Endpoint
from infersight_collector.errors import ListenError

BACKLOG: Final = 1024
"""Connections that may wait to be accepted."""


def open_listener(endpoint: Endpoint) -> socket.socket:
    """A socket that listens on the endpoint.

    Raises:
        ListenError: it cannot; the text says what to do.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ListenError(
            f"cannot listen on {endpoint}: {reason}; stop what uses it or choose another endpoint"
        ) from error
