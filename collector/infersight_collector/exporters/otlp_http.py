"""The client of OTLP over HTTP."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyarrow publishes no types.

import time
import zlib
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal

import pyarrow as pa
import urllib3

from infersight_collector.config.tls import ClientTls, client_context
from infersight_collector.exporters.outcome import Later, Outcome, Refused, delivered, shortened, status_of
from infersight_collector.signals import Signal

_PROTOBUF: Final = "application/x-protobuf"
_RETRYABLE: Final = frozenset({429, 502, 503, 504})
_MOST_OF_ANSWER: Final = 64 * 2**10

Compression = Literal["gzip", "zstd", "none"]

_COMPRESS: Final[dict[str, Callable[[bytes], bytes]]] = {
    # The highest levels save a tenth of the bytes for five times the time.
    "gzip": lambda content: zlib.compress(content, 1, 16 + zlib.MAX_WBITS),
    "zstd": lambda content: bytes(pa.compress(content, "zstd", asbytes=True)),
}


class HttpClient:
    """Posts requests to `/v1/traces`, `/v1/logs` and `/v1/metrics` below a URL.

    Args:
        endpoint: the URL, `http://` or `https://`.
        tls: how to trust an `https://` server.
        headers: sent with each request.
        compression: of the bodies.
        timeout_s: longest time without anything from the server, in seconds.

    Raises:
        ConfigError: a file of the TLS configuration cannot be read.
    """

    def __init__(
        self, endpoint: str, tls: ClientTls, headers: Mapping[str, str], compression: Compression, *, timeout_s: float
    ):
        if tls.insecure_skip_verify:  # what the configuration says need not be warned of
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        context = client_context(tls) if endpoint.startswith("https://") else None
        self._pool = urllib3.PoolManager(1, ssl_context=context, timeout=urllib3.Timeout(timeout_s), retries=False)
        self._urls = {signal: f"{endpoint.rstrip('/')}/v1/{signal}" for signal in Signal}
        encoding = {} if compression == "none" else {"content-encoding": compression}
        self._headers = {"user-agent": "infersight", **headers, "content-type": _PROTOBUF, **encoding}
        self._compress = _COMPRESS.get(compression)

    def send(self, signal: Signal, request: bytes) -> Outcome:
        """Sends one request, in one attempt."""
        body = request if self._compress is None else self._compress(request)
        try:
            response = self._pool.request(
                "POST", self._urls[signal], body=body, headers=self._headers, redirect=False, preload_content=False
            )
            try:
                answer = response.read(_MOST_OF_ANSWER)
            finally:
                response.drain_conn()
                response.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return Later(shortened(str(error)))
        return _outcome(signal, response, answer)

    def close(self) -> None:
        """Closes the connections."""
        self._pool.clear()


def _outcome(signal: Signal, response: Any, answer: bytes) -> Outcome:
    is_protobuf = response.headers.get("content-type", "").partition(";")[0].strip() == _PROTOBUF
    if 200 <= response.status < 300:
        return delivered(signal, answer if is_protobuf else b"")
    said = status_of(answer)[0] if is_protobuf else shortened(answer.decode("utf-8", "replace"))
    message = f"HTTP {response.status} {said}".strip()
    if response.status in _RETRYABLE:
        return Later(message, retry_after(response.headers.get("retry-after", "")))
    return Refused(message)


def retry_after(value: str) -> float | None:
    """Seconds to wait by the header `Retry-After` (RFC 9110), which has them or a date; None where it has neither."""
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    except (ValueError, OverflowError):
        return None
