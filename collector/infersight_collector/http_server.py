"""An ASGI application served on a thread of its own, by uvicorn."""

import threading
from typing import TYPE_CHECKING, Final

import uvicorn

from infersight_collector.config.values import Endpoint
from infersight_collector.listener import BACKLOG, open_listener

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

MAX_CONNECTIONS: Final = 1000
"""Connections and requests in progress beyond which uvicorn answers 503."""


class HttpServer:
    """Serves one application on one endpoint.

    Args:
        application: an ASGI application without lifespan.
        endpoint: where to listen.
        grace_s: longest time that requests in progress get to finish when it stops.
    """

    def __init__(self, application: "ASGI3Application", endpoint: Endpoint, grace_s: int = 10) -> None:
        self._endpoint = endpoint
        self._server = uvicorn.Server(
            uvicorn.Config(
                application,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                limit_concurrency=MAX_CONNECTIONS,
                backlog=BACKLOG,
                timeout_graceful_shutdown=grace_s,
            )
        )
        self._thread: threading.Thread | None = None

    def start(self) -> Endpoint:
        """Listens, and returns where: with the real port.

        Raises:
            ListenError: the endpoint cannot be opened.
        """
        listener = open_listener(self._endpoint)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="http", daemon=True)
        self._thread.start()
        # The socket listens already: senders that come before the loop runs wait in its backlog.
        return Endpoint(self._endpoint.host, listener.getsockname()[1])

    def stop(self) -> None:
        """Stops listening and returns when the requests in progress have been answered."""
        if self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
