"""What the components of the pipeline have in common. Each knows only the consumer behind it.

    receiver -> intake -> write-ahead log -> decode -> processor -> ... -> exporter

A receiver hands over requests as bytes, which are acknowledged once they are in the log. Behind the log everything
is Arrow: the requests of one log segment are decoded together and pass the processors as one batch a signal.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyarrow publishes no types.

from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from infersight_collector.signals import Signal
from infersight_collector.store.wal import Origin


class RequestSink(Protocol):
    """What stands behind the receivers; its methods may be called from any thread."""

    def submit(self, signal: Signal, request: bytes) -> int:
        """Keeps one protobuf request durably; when it returns, the sender may be told so.

        Returns:
            the number of spans, log records or data points in it.

        Raises:
            MalformedRequest: the bytes are no valid request.
            Overloaded: there is no room now.
            StoreUnavailable: the log cannot be written now.
        """
        ...

    def refused(self, signal: Signal, reason: str) -> None:
        """Counts a request that was not accepted."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one signal on their way from the log to the exporters.

    Attributes:
        signal: the signal they came as.
        tables: rows by table name, in the layout of `store.schema`.
    """

    signal: Signal
    tables: dict[str, pa.Table]


class Consumer(Protocol):
    """Whatever takes batches: a processor, an exporter, or a fan-out to several."""

    def consume(self, batch: Batch) -> None:
        """Takes a batch over; a processor passes what it makes of it to its next consumer."""
        ...


class Exporter(Consumer, Protocol):
    """The end of a pipeline. What it consumes between `begin` and `commit` is delivered together or not at all."""

    def start(self) -> None:
        """Gets ready to consume; raises where the configuration cannot work."""
        ...

    def begin(self) -> None:
        """Forgets what was consumed and not committed: the segment is consumed again from its beginning."""
        ...

    def commit(self, origin: Origin) -> None:
        """Delivers what was consumed since `begin`, exactly once for its origin.

        Raises:
            StoreUnavailable: not delivered for now; the caller begins again later.
        """
        ...

    def stop(self) -> None:
        """Ends background work and releases what `start` took."""
        ...


@dataclass(frozen=True, slots=True)
class Listening:
    """An open endpoint: what it serves and where, with the real port."""

    what: str
    address: str


class Receiver(Protocol):
    """The beginning of a pipeline."""

    def start(self, sink: RequestSink) -> list[Listening]:
        """Begins to listen, and hands over what arrives.

        Raises:
            ListenError: an endpoint cannot be opened.
        """
        ...

    def stop(self) -> None:
        """Stops listening and returns when the requests in progress have been answered."""
        ...
