"""OTLP over HTTP: POST /v1/traces, /v1/logs and /v1/metrics with protobuf or JSON bodies."""

import json
from typing import Final

from infersight_collector.component import RequestSink
from infersight_collector.config.values import Endpoint
from infersight_collector.errors import Unauthorized
from infersight_collector.http_exchange import Answer, Exchange, Headers
from infersight_collector.http_protocol import HttpLimits
from infersight_collector.http_server import HttpServer
from infersight_collector.receivers.body import ENCODINGS
from infersight_collector.receivers.cors import CorsPolicy
from infersight_collector.receivers.group_commit import GroupCommit
from infersight_collector.receivers.otlp_config import HttpConfig
from infersight_collector.receivers.token import BearerTokens
from infersight_collector.receivers.upload import JSON, MEDIA_TYPES, PROTOBUF, Form, Upload, Uploads
from infersight_collector.signals import Signal

_NO_HEADERS: Final[Headers] = ()

_KNOWN_ENCODINGS: Final = ", ".join(name for name in ENCODINGS if name)


class OtlpHttpServer:
    """The OTLP/HTTP paths of some signals on one endpoint.

    Args:
        config: where to listen and what connections and requests may take.
        signals: what is taken; the paths of others are not found.
        sink: keeps requests durably.
        tokens: what senders must show, if anything.
        max_connections: connections beyond which further ones are closed at once.

    Raises:
        ConfigError: certificate or key cannot be used.
    """

    def __init__(
        self,
        config: HttpConfig,
        signals: set[Signal],
        sink: RequestSink,
        tokens: BearerTokens | None,
        max_connections: int = 1000,
    ) -> None:
        self._log = GroupCommit(sink)
        uploads = Uploads(sink, self._log, config.max_request_body_size, config.read_timeout)
        cors = CorsPolicy(config.cors) if config.cors else None
        limits = HttpLimits(config.read_header_timeout, config.idle_timeout, max_connections)
        self._server = HttpServer(_Paths(signals, uploads, cors, tokens), config.endpoint, config.tls, limits)

    def start(self) -> Endpoint:
        """Listens, and returns where: with the real port.

        Raises:
            ListenError: the endpoint cannot be opened.
        """
        return self._server.start()

    def stop(self) -> None:
        """Stops listening and returns when the requests in progress have been answered."""
        self._server.stop()
        self._log.close()


class _Paths:
    """The handler of the endpoint: has the body of what may be OTLP read, and tells others what is wrong."""

    def __init__(
        self, signals: set[Signal], uploads: Uploads, cors: CorsPolicy | None, tokens: BearerTokens | None
    ) -> None:
        self._signals = {f"/v1/{signal}": signal for signal in signals}
        self._uploads = uploads
        self._cors = cors
        self._tokens = tokens

    def __call__(self, exchange: Exchange) -> None:
        """Begins with a request."""
        signal = self._signals.get(exchange.path)
        origin, cors = "", _NO_HEADERS
        if self._cors is not None:
            origin = exchange.headers.get(b"origin", b"").decode("latin-1")
            cors = self._cors.answer(origin)
        if signal is None:
            exchange.answer(_misdirected(404, f"not found; here are {', '.join(sorted(self._signals))}", cors))
        elif exchange.method == b"OPTIONS" and self._cors is not None:
            exchange.answer(Answer(204, "", headers=self._cors.preflight(origin)))
        else:
            form = _form(exchange)
            if (misdirected := _misdirection(exchange.method, form, cors)) is not None:
                exchange.answer(misdirected)
            else:
                self._read(exchange, Upload(self._uploads, exchange, signal, form, cors))

    def _read(self, exchange: Exchange, upload: Upload) -> None:
        """Has a body read, if the sender shows what is wanted."""
        if self._tokens is not None:
            try:
                self._tokens.check(exchange.headers.get(b"authorization", b"").decode("latin-1"))
            except Unauthorized as error:
                upload.settle(error)
                return
        exchange.read(upload, self._uploads.timeout_s)


def _form(exchange: Exchange) -> Form:
    media_type = exchange.headers.get(b"content-type", b"").partition(b";")[0]
    encoding = exchange.headers.get(b"content-encoding", b"")
    return Form(media_type.strip().lower().decode("latin-1"), encoding.strip().lower().decode("latin-1"))


def _misdirection(method: bytes, form: Form, cors: Headers) -> Answer | None:
    """The answer to a request that is none of OTLP, None for one that may be."""
    if method != b"POST":
        return _misdirected(405, "telemetry is sent with POST", ((b"allow", b"POST"), *cors))
    if form.media_type not in MEDIA_TYPES:
        return _misdirected(415, f"the content type must be {PROTOBUF} or {JSON}", cors)
    if form.encoding not in ENCODINGS:
        message = f"the content encoding must be one of {_KNOWN_ENCODINGS}"
        return _misdirected(415, message, ((b"accept-encoding", _KNOWN_ENCODINGS.encode()), *cors))
    return None


def _misdirected(status: int, message: str, headers: Headers) -> Answer:
    """The reason as JSON, which is also readable for a person."""
    return Answer(status, JSON, json.dumps({"message": message}).encode(), headers)
