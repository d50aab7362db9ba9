# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (grpc publishes no types; what passes between it and the rest is bytes and str)
"""OTLP over gRPC: raw request bytes to the consumer, errors to status codes."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc

from infersight_collector.component import RequestSink
from infersight_collector.config.values import Endpoint
from infersight_collector.errors import ListenError
from infersight_collector.listener import open_listener
from infersight_collector.receivers.refusal import Refusal
from infersight_collector.receivers.token import check_token
from infersight_collector.signals import Signal

_SERVICES: Final = {
    Signal.TRACES: "opentelemetry.proto.collector.trace.v1.TraceService",
    Signal.LOGS: "opentelemetry.proto.collector.logs.v1.LogsService",
    Signal.METRICS: "opentelemetry.proto.collector.metrics.v1.MetricsService",
}

_THREADS: Final = 16
"""Requests handled at a time; also the most that share one fsync over gRPC."""

_GRACE_S: Final = 10.0
_SUCCESS: Final = b""  # an Export*ServiceResponse without partial_success


class GrpcServer:
    """The OTLP/gRPC services of some signals on one endpoint.

    Args:
        endpoint: where to listen.
        signals: what is taken; the services of others answer UNIMPLEMENTED.
        sink: keeps requests durably.
        max_message_bytes: largest request, unpacked.
        token: the bearer token that senders must show, if any.
    """

    def __init__(
        self, endpoint: Endpoint, signals: set[Signal], sink: RequestSink, *, max_message_bytes: int, token: str | None
    ) -> None:
        self._endpoint = endpoint
        self._sink = sink
        self._token = token
        self._server: Any = grpc.server(
            ThreadPoolExecutor(_THREADS, thread_name_prefix="grpc"),
            handlers=[self._service(signal) for signal in signals],
            options=[
                ("grpc.max_receive_message_length", max_message_bytes),
                # Otherwise a second collector would share the port in silence.
                ("grpc.so_reuseport", 0),
                ("grpc.keepalive_time_ms", 60_000),
                ("grpc.keepalive_timeout_ms", 20_000),
                # Senders may ping every ten seconds to keep their connection through proxies.
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
                ("grpc.keepalive_permit_without_calls", 1),
            ],
        )

    def start(self) -> Endpoint:
        """Listens, and returns where: with the real port.

        Raises:
            ListenError: the endpoint cannot be opened.
        """
        if self._endpoint.port:
            # gRPC does not say why it cannot listen; a socket of our own does.
            open_listener(self._endpoint).close()
        try:
            port: int = self._server.add_insecure_port(str(self._endpoint))
        except RuntimeError as error:
            raise ListenError(f"cannot listen on {self._endpoint}: choose another endpoint") from error
        self._server.start()
        return Endpoint(self._endpoint.host, port)

    def stop(self) -> None:
        """Stops listening and returns when the requests in progress have been answered."""
        self._server.stop(_GRACE_S).wait()

    def _service(self, signal: Signal) -> Any:
        def export(request: bytes, context: Any) -> bytes:
            try:
                check_token(self._token, _authorization(context))
                self._sink.submit(signal, request)
            except Exception as error:  # noqa: BLE001 - every error has its answer; none may end the server
                refusal = Refusal.of(error)
                self._sink.refused(signal, refusal.reason)
                context.set_trailing_metadata((("grpc-status-details-bin", refusal.status()),))
                context.set_code(_STATUS_CODES[refusal.code])
                context.set_details(refusal.message)
            return _SUCCESS

        # Without (de)serializers a handler works on the bytes themselves.
        method = grpc.unary_unary_rpc_method_handler(export)
        return grpc.method_handlers_generic_handler(_SERVICES[signal], {"Export": method})


_STATUS_CODES: Final[dict[int, Any]] = {code.value[0]: code for code in grpc.StatusCode}


def _authorization(context: Any) -> str:
    metadata: Any = context.invocation_metadata()
    return next((str(value) for key, value in metadata if key == "authorization"), "")
