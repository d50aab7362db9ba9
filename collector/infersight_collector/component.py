"""What the components of the pipeline have in common. Each knows only the consumer behind it.

    receiver -> intake -> write-ahead log -> decode -> processor -> ... -> exporter

A receiver hands over requests as bytes, which are acknowledged once they are in the log. Behind the log everything
is Arrow: the requests of one log segment are decoded together and pass the processors as one batch a signal.

Every component is named in the configuration, and there is one instance for each name, whichever pipelines use it.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false
# pyarrow publishes no types.

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import pyarrow as pa

from infersight_collector.signals import Request, Signal
from infersight_collector.store.wal import Origin
from infersight_collector.telemetry import Telemetry


class Receipt(NamedTuple):
    """What became of a request that was taken.

    Attributes:
        records: spans, log records or data points that are kept.
        rejected: those that are not, and will not be when they are sent again.
        message: why not, for the sender; "" where all are kept.
    """

    records: int
    rejected: int = 0
    message: str = ""


class RequestSink(Protocol):
    """What stands behind the receivers; its methods may be called from any thread."""

    def submit(self, signal: Signal, request: bytes) -> Receipt:
        """Keeps one protobuf request durably; when it returns, the sender may be told so.

        Raises:
            MalformedRequest: the bytes are no valid request.
            TooLarge: nothing of it can be kept, now or later.
            Overloaded: there is no room now.
            StoreUnavailable: the log cannot be written now.
        """
        ...

    def submit_all(self, requests: Sequence[tuple[Signal, bytes]]) -> Sequence[Receipt | Exception]:
        """Keeps several requests by one write; for each what `submit` gives or raises."""
        ...

    def refused(self, signal: Signal, reason: str) -> None:
        """Counts a request that was not accepted."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one signal on their way from the log to the exporters.

    Attributes:
        signal: the signal they came as.
        tables: rows by table name, in the layout of `store.layout`. A processor may add rows to another signal's
            tables, as metrics that it derives from spans.
        requests: the OTLP requests that say exactly what the tables say; empty once a processor has changed these, and
            where no exporter has a use for them.
    """

    signal: Signal
    tables: Mapping[str, pa.Table]
    requests: Sequence[Request] = ()

    def replaced(self, tables: Mapping[str, pa.Table]) -> "Batch":
        """The batch with other rows in these tables, or itself where they are the same objects."""
        if all(self.tables.get(name) is rows for name, rows in tables.items()):
            return self
        return Batch(self.signal, {**self.tables, **tables})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a component may use of the collector that it runs in.

    Attributes:
        directory: a directory of its own beside the log, for what it has to keep; it may not exist yet.
        telemetry: the collector's metrics.
    """

    directory: Path
    telemetry: Telemetry


class Processor(Protocol):
    """A step between the log and the exporters, in the order of the pipeline.

    A processor is a dataclass: its fields are the keys of its configuration, checked in `__post_init__`, which raises
    ValueError with what to write instead. It may have one or more of the abilities below. After a crash a segment is
    processed again, so what comes out may depend on the batch and the configuration, not on batches before.
    """

    def process(self, batch: Batch) -> Batch:
        """What goes on to the next step: the same batch, or `batch.replaced(...)`."""
        ...


@runtime_checkable
class Startable(Protocol):
    """Ability of a processor: it is told where it runs before the first batch."""

    def start(self, surroundings: Surroundings) -> None:
        """Gets ready; raises CollectorError where it cannot work."""
        ...


@runtime_checkable
class Gate(Protocol):
    """Ability of a processor: it says whether requests of its pipelines are taken at the moment."""

    def admit(self) -> None:
        """Returns when a request may come in; raises Overloaded when senders should come again later."""
        ...


@runtime_checkable
class LookAhead(Protocol):
    """Ability of a processor: it decides about rows by what comes after them.

    Each batch is shown to it as soon as it is in the log, and comes to `process` only `lookahead_s` later (earlier when
    the collector stops). Meanwhile the rows wait in the log, where they are safe. After a crash all batches that
    were not delivered are shown again.
    """

    @property
    def lookahead_s(self) -> float:
        """Time between `observe` and `process`, in seconds."""
        ...

    @property
    def observes(self) -> Collection[Signal]:
        """The signals whose batches it decides by; others are not decoded for it ahead of time."""
        ...

    def observe(self, batch: Batch) -> None:
        """Takes note of a batch, as the processors before it have left it."""
        ...

    def settle(self) -> None:
        """Makes the decisions durable that `process` has taken; called before the exporters deliver by them."""
        ...


class Exporter(Protocol):
    """The end of a pipeline. What it consumes between `begin` and `commit` is delivered together or not at all."""

    def start(self) -> None:
        """Gets ready to consume; raises where the configuration cannot work."""
        ...

    def begin(self) -> None:
        """Forgets what was consumed and not committed: the segment is consumed again from its beginning."""
        ...

    def consume(self, batch: Batch) -> None:
        """Takes a batch of the present segment over."""
        ...

    def commit(self, origin: Origin) -> None:
        """Delivers what was consumed since `begin`, exactly once for its origin; a writer's come in order.

        Raises:
            StoreUnavailable: not delivered for now; the caller begins again later. Other exporters go on.
        """
        ...

    def stop(self) -> None:
        """Ends background work and releases what `start` took."""
        ...


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an exporter delivers nothing at the moment.

    Attributes:
        reason: one line.
        since: monotonic time of the first attempt that failed.
        retry_at: monotonic time of the next one.
        delay_s: seconds between the last attempt and the next.
    """

    reason: str
    since: float
    retry_at: float
    delay_s: float


@runtime_checkable
class RowsOnly(Protocol):
    """Ability of an exporter: it has no use for the requests that rows came as, which need not be kept for it."""

    @property
    def rows_only(self) -> Literal[True]:
        """What tells the ability."""
        ...


@runtime_checkable
class Forwarder(Protocol):
    """Ability of an exporter that delivers from a queue of its own: it tells why that does not get shorter."""

    @property
    def trouble(self) -> Trouble | None:
        """Why nothing is delivered at the moment, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Route:
    """One pipeline behind the log.

    Attributes:
        name: as configured: `traces`, `logs/audit`.
        signal: what goes along it.
        processors: in order.
        exporters: names of the exporters at its end.
        max_rows: most rows of a table in one batch for the exporters, or None.
        names: names of the processors, as configured.
    """

    name: str
    signal: Signal
    processors: Sequence[Processor]
    exporters: Sequence[str]
    max_rows: int | None = None
    names: Sequence[str] = ()

    def steps(self) -> Iterator[tuple[str, Processor]]:
        """The processors with their names; one without a name goes by its class."""
        names = self.names or [type(part).__name__ for part in self.processors]
        return zip(names, self.processors, strict=True)


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
