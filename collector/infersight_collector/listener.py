"""Listening sockets."""

import resource
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


def allow_connections() -> None:
    """Lets the process have as many connections and files open as it may.

    The limit that programs start with is often 1024, for the sake of those that cannot count further; senders must
    not be able to use up the files that the store needs.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
