"""How one signal leaves the process: to the collector, or into a spool on the way there."""

from collections.abc import Callable
from typing import Any, Protocol

from infersight.export.counts import ExportCounts
from infersight.export.destination import Signal, build_exporter, destination_of
from infersight.export.per_process import PerProcess
from infersight.export.raw import Outcome, send


class Spooling(Protocol):
    """What takes encoded requests."""

    def append(self, signal: Signal, request: bytes) -> bool:
        """Take one; whether there was room."""
        ...


class Delivery:
    """Hands batches of one signal over.

    Args:
        signal: the signal.
        endpoint: where to; without it the `OTEL_EXPORTER_OTLP_*` variables, else the defaults.
        protocol: as for the endpoint.
    """

    def __init__(self, signal: Signal, endpoint: str | None, protocol: str | None) -> None:
        self.signal: Signal = signal
        self.spool: Spooling | None = None
        """Takes the requests instead of the collector; set before the first batch."""
        self.counts = ExportCounts(signal, destination_of(signal, endpoint, protocol)[0])
        self._exporter = PerProcess[Any](lambda: build_exporter(signal, endpoint, protocol))

    def deliver(self, batch: Any, records: int, encode: Callable[[Any], Any]) -> bool:
        """Send one batch, with OpenTelemetry's retries; whether it was taken.

        Args:
            batch: what the exporter takes.
            records: how many records it has.
            encode: makes the request of it that a spool takes.
        """
        if self.spool is not None:
            taken = self.spool.append(self.signal, encode(batch).SerializeToString())
            self.counts.add(records, None if taken else "spool_full")
            return taken
        with self._exporter.in_use() as exporter:
            taken = exporter is not None and exporter.export(batch).name == "SUCCESS"
        self.counts.add(records, None if taken else "export_failed")
        return taken

    def send(self, request: bytes) -> Outcome:
        """Send one encoded request, in one attempt: what a spool does with those that it took."""
        with self._exporter.in_use() as exporter:
            outcome = Outcome.AWAY if exporter is None else send(exporter, self.signal, request)
            if outcome is Outcome.AWAY:
                # gRPC would go on to refuse for a while after the collector is back.
                self._exporter.renew()
        return outcome

    def shutdown(self) -> None:
        """No batch follows: stop, also in the middle of a retry, unless a spool has requests to send yet."""
        if self.spool is None:
            self.close()

    def close(self) -> None:
        """Stop for good."""
        self._exporter.shutdown()
