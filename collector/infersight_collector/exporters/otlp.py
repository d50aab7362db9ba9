"""The exporters `otlp` and `otlphttp`: sends on what arrives, through a queue on disk."""

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from infersight_collector.component import Batch, Surroundings, Trouble
from infersight_collector.config.tls import ClientTls
from infersight_collector.config.values import Duration
from infersight_collector.exporters.outcome import Client
from infersight_collector.exporters.sender import RetryConfig, Sender
from infersight_collector.exporters.sending_queue import SendingQueue
from infersight_collector.store.wal import Origin
from infersight_collector.telemetry.instruments import EXPORTER_QUEUE_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable

    from infersight_collector.exporters.outgoing import Gathered

_log = logging.getLogger(__name__)

_SECURE: Final = ClientTls()


@dataclass(frozen=True)
class QueueConfig:
    """`sending_queue`.

    Attributes:
        queue_size: size of the queue on disk, in bytes, beyond which segments stay in the write-ahead log. As much
            again may be set aside, of what the receiver refuses.
    """

    queue_size: int = 2**30

    def __post_init__(self) -> None:
        if self.queue_size <= 0:
            raise ValueError("queue_size is the size of the sending queue in bytes: write a number above zero")


@dataclass(frozen=True)
class OtlpExporterConfig:
    """Configuration of one `otlp` exporter, over gRPC; keys as in the OpenTelemetry Collector.

    Attributes:
        endpoint: `HOST:PORT`, or a URL, whose `http://` says the same as `tls.insecure`.
        tls: how to trust the receiver, and how it can trust us.
        headers: sent with each request.
        compression: of the requests.
        timeout: longest time for one request.
        retry_on_failure: what to do when a request fails.
        sending_queue: what waits.
    """

    endpoint: str
    tls: ClientTls = _SECURE
    headers: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    compression: Literal["gzip", "none"] = "gzip"
    timeout: Duration = Duration(5.0)  # noqa: RUF009 - a float
    retry_on_failure: RetryConfig = RetryConfig()  # noqa: RUF009 - frozen
    sending_queue: QueueConfig = QueueConfig()

    def __post_init__(self) -> None:
        url = urlsplit(self.endpoint if "://" in self.endpoint else f"https://{self.endpoint}")
        if url.scheme not in ("http", "https") or not url.hostname or not _has_port(url.netloc) or url.path.strip("/"):
            raise ValueError(f"'{self.endpoint}' is no gRPC endpoint: write HOST:PORT, as in backend.example.org:4317")
        if self.tls.insecure_skip_verify:
            raise ValueError("gRPC always verifies the receiver: name its certificate's authority in 'ca_file'")

    def client(self) -> Client:
        """What speaks to the receiver; raises ConfigError where a file of `tls` cannot be read."""
        from infersight_collector.exporters.otlp_grpc import GrpcClient  # noqa: PLC0415 - gRPC is heavy

        gzip = self.compression == "gzip"
        return GrpcClient(self.endpoint, self.tls, self.headers, gzip=gzip, timeout_s=self.timeout)


@dataclass(frozen=True)
class OtlpHttpExporterConfig:
    """Configuration of one `otlphttp` exporter; keys as in the OpenTelemetry Collector.

    Attributes:
        endpoint: base URL of the receiver, to which `/v1/traces`, `/v1/logs` and `/v1/metrics` are added.
        tls: see `OtlpExporterConfig`; for `https://` endpoints.
        headers: sent with each request.
        compression: of the requests.
        timeout: longest time without anything from the receiver.
        retry_on_failure: what to do when a request fails.
        sending_queue: what waits.
    """

    endpoint: str
    tls: ClientTls = _SECURE
    headers: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    compression: Literal["gzip", "zstd", "none"] = "gzip"
    timeout: Duration = Duration(30.0)  # noqa: RUF009 - a float
    retry_on_failure: RetryConfig = RetryConfig()  # noqa: RUF009 - frozen
    sending_queue: QueueConfig = QueueConfig()

    def __post_init__(self) -> None:
        url = urlsplit(self.endpoint)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError(f"'{self.endpoint}' is no URL: write one as in https://backend.example.org:4318")

    def client(self) -> Client:
        """What speaks to the receiver; raises ConfigError where a file of `tls` cannot be read."""
        from infersight_collector.exporters.otlp_http import HttpClient  # noqa: PLC0415 - as gRPC

        return HttpClient(self.endpoint, self.tls, self.headers, self.compression, timeout_s=self.timeout)


class OtlpExporter:
    """Puts the requests of each segment into a queue on disk, which a thread sends.

    Args:
        config: its configuration.
        surroundings: where the queue is, and the collector's metrics.
    """

    def __init__(self, config: OtlpExporterConfig | OtlpHttpExporterConfig, surroundings: Surroundings) -> None:
        self._config = config
        self._surroundings = surroundings
        self._name = surroundings.directory.name
        self._queue = SendingQueue(surroundings.directory, config.sending_queue.queue_size)
        self._sender: Sender | None = None
        self._stop: Callable[[], None] = lambda: None
        self._gathered: Gathered | None = None

    def start(self) -> None:
        """Takes up what waits from before, and begins to send.

        Raises:
            CollectorError: the queue or a file of the configuration cannot be used.
        """
        client = self._config.client()
        self._queue.open()
        telemetry = self._surroundings.telemetry
        telemetry.observe(EXPORTER_QUEUE_SIZE, lambda: self._queue.bytes, self._name)
        grace_s = self._config.timeout
        sender = self._sender = Sender(
            self._name, self._queue, client, retry=self._config.retry_on_failure, grace_s=grace_s, telemetry=telemetry
        )
        sender.start()

        def stop() -> None:
            sender.stop()
            client.close()
            if self._queue.bytes:
                _log.warning("exporter %s: %d bytes wait for the next start", self._name, self._queue.bytes)
            self._queue.release()

        self._stop = stop
        self.begin()

    @property
    def trouble(self) -> Trouble | None:
        """Why nothing is sent at the moment, or None."""
        return self._sender.trouble if self._sender is not None else None

    def begin(self) -> None:
        """Forgets batches that were not committed."""
        from infersight_collector.exporters.outgoing import Gathered  # noqa: PLC0415 - its kernels take time to load

        self._gathered = Gathered()

    def consume(self, batch: Batch) -> None:
        """Keeps a batch until the segment is complete."""
        self._require_start().add(batch)

    def commit(self, origin: Origin) -> None:
        """Puts the requests into the queue, where they are safe.

        Raises:
            StoreUnavailable: the queue is full, or the disk does not take them.
        """
        self._queue.put(origin, list(self._require_start().requests()))
        self.begin()

    def stop(self) -> None:
        """Sends what can be sent at once; the rest waits in the queue for the next start."""
        self._stop()

    def _require_start(self) -> "Gathered":
        if self._gathered is None:
            raise RuntimeError("the exporter has not been started")
        return self._gathered


def _has_port(address: str) -> bool:
    return address.rpartition(":")[2].isdecimal()
