"""A handler of HTTP requests served on a thread of its own, by uvicorn."""

import logging
import ssl
import threading
from functools import partial
from typing import Any, Final

import uvicorn

from infersight_collector.config.tls import ServerTls, load_certificate, server_context
from infersight_collector.config.values import Endpoint
from infersight_collector.errors import ConfigError
from infersight_collector.http_exchange import Handler
from infersight_collector.http_protocol import HttpConnection, HttpLimits
from infersight_collector.listener import BACKLOG, open_listener
from infersight_collector.watched_file import WatchedFiles

_log = logging.getLogger(__name__)

_CERTIFICATE_INTERVAL_S: Final = 1
"""How often is looked whether the certificate's files changed."""


class HttpServer:
    """Serves one endpoint.

    Args:
        handler: answers the requests.
        endpoint: where to listen.
        tls: certificate and key, None for none. They are read again when they change.
        limits: what connections may take.
        grace_s: longest time that requests in progress get to finish when it stops.

    Raises:
        ConfigError: certificate or key cannot be used.
    """

    def __init__(
        self,
        handler: Handler,
        endpoint: Endpoint,
        tls: ServerTls | None = None,
        limits: HttpLimits | None = None,
        grace_s: int = 10,
    ) -> None:
        self._endpoint = endpoint
        # uvicorn only calls what makes a connection. What it takes for an application, nobody calls.
        protocol: Any = partial(HttpConnection, handler, limits or HttpLimits())
        config = uvicorn.Config(
            handler,
            interface="asgi3",
            http=protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=grace_s,
        )
        if tls is not None and not tls.insecure:
            config.load()
            config.ssl = server_context(tls)
            config.callback_notify = _Reload(config.ssl, tls)
            config.timeout_notify = _CERTIFICATE_INTERVAL_S
        self._server = uvicorn.Server(config)
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


class _Reload:
    """Takes a certificate over that was renewed; uvicorn awaits it regularly."""

    def __init__(self, context: ssl.SSLContext, tls: ServerTls) -> None:
        self._context = context
        self._tls = tls
        self._watched = WatchedFiles(tls.files[:2])

    async def __call__(self) -> None:
        if not self._watched.changed():
            return
        try:
            # Tried on a context of its own: a pair of which only one half was replaced must not break the one in use.
            server_context(self._tls)
            load_certificate(self._context, self._tls)
            _log.info("the certificate in %s was read again", self._tls.cert_file)
        except ConfigError as error:
            _log.warning("%s; the certificate that was read before stays in use", error)
