"""The collector's own metrics: counted here, shown on a page for Prometheus and sent as OTLP.

The sums are kept and the page is written by prometheus-client.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Final

from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest
from prometheus_client import Counter as _Sums
from prometheus_client import Histogram as _Distributions
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from infersight_collector.telemetry import instruments
from infersight_collector.telemetry.instruments import DURATION_BOUNDS, Instrument

__all__ = ["CONTENT_TYPE", "Counter", "Histogram", "Instrument", "Telemetry", "instruments"]

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
"""Media type of the page."""

SERVICE_NAME: Final = "infersight-collector"
"""The collector among the services in its own store."""


class Counter:
    """Sums that only grow, one for each combination of attribute values.

    Args:
        sums: where they are kept.
    """

    def __init__(self, sums: _Sums) -> None:
        self._sums = sums
        self._series: dict[tuple[str, ...], _Sums] = {}

    def add(self, amount: float, *values: str) -> None:
        """Adds to the sum of these attribute values, which come in the order of the instrument's keys."""
        series = self._series.get(values)
        if series is None:
            # Looking a series up in the library takes three times as long as adding to it.
            series = self._series[values] = self._sums.labels(*values) if values else self._sums
        series.inc(amount)


class Histogram:
    """Distributions of durations, one for each combination of attribute values.

    Args:
        distributions: where they are kept.
    """

    def __init__(self, distributions: _Distributions) -> None:
        self._distributions = distributions

    def record(self, seconds: float, *values: str) -> None:
        """Adds one duration."""
        (self._distributions.labels(*values) if values else self._distributions).observe(seconds)


class _Readings(Collector):
    """The series of an instrument that are read when somebody looks."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self.reads: list[tuple[tuple[str, ...], Callable[[], float]]] = []

    def collect(self) -> Iterator[Metric]:
        of_kind = CounterMetricFamily if self._instrument.kind == "counter" else GaugeMetricFamily
        family = of_kind(self._instrument.family, self._instrument.about, labels=_labels(self._instrument))
        for values, read in list(self.reads):
            try:
                family.add_metric(values, read())
            except OSError:  # a system without that file in /proc
                continue
        yield family


class Telemetry:
    """All metrics of one collector. Its methods may be called from any thread.

    Attributes:
        resource: the attributes that tell this process from others, by OpenTelemetry's semantic conventions.
        started_ns: since when it counts, in nanoseconds since the epoch.
    """

    def __init__(self) -> None:
        self.resource: Final = {
            "service.name": SERVICE_NAME,
            "service.version": version("infersight"),
            "service.instance.id": str(uuid.uuid4()),
        }
        self.started_ns: Final = time.time_ns()
        disable_created_metrics()  # time series that only OpenMetrics gives a meaning
        self._registry = CollectorRegistry()
        self._lock = threading.Lock()
        self._known: dict[str, Instrument] = {}
        self._counters: dict[str, Counter] = {}
        self._histograms: dict[str, Histogram] = {}
        self._readings: dict[str, _Readings] = {}
        self.accepted_requests: Final = self.counter(instruments.ACCEPTED_REQUESTS)
        self.accepted_records: Final = self.counter(instruments.ACCEPTED_RECORDS)
        self.accepted_bytes: Final = self.counter(instruments.ACCEPTED_BYTES)
        self.refused_requests: Final = self.counter(instruments.REFUSED_REQUESTS)
        self.dropped_records: Final = self.counter(instruments.DROPPED_RECORDS)
        self.stored_segments: Final = self.counter(instruments.STORED_SEGMENTS)
        self.quarantined_segments: Final = self.counter(instruments.QUARANTINED_SEGMENTS)
        self.failed_flushes: Final = self.counter(instruments.FLUSH_FAILURES)
        self.flush_duration: Final = self.histogram(instruments.FLUSH_DURATION)

    def counter(self, instrument: Instrument) -> Counter:
        """The sums of an instrument; components that ask for the same one share it."""
        with self._lock:
            if instrument.name not in self._counters:
                sums = _Sums(instrument.family, instrument.about, _labels(instrument), registry=self._registry)
                self._counters[instrument.name] = Counter(sums)
                self._known[instrument.family] = instrument
            return self._counters[instrument.name]

    def histogram(self, instrument: Instrument) -> Histogram:
        """The distributions of an instrument, durations in seconds; shared as counters are."""
        with self._lock:
            if instrument.name not in self._histograms:
                family, about, labels = instrument.family, instrument.about, _labels(instrument)
                kept = _Distributions(family, about, labels, registry=self._registry, buckets=DURATION_BOUNDS)
                self._histograms[instrument.name] = Histogram(kept)
                self._known[family] = instrument
            return self._histograms[instrument.name]

    def observe(self, instrument: Instrument, read: Callable[[], float], *values: str) -> None:
        """Adds a series of a gauge or counter that is read when somebody looks.

        Args:
            instrument: what it is.
            read: gives the value at the moment, from any thread; on OSError the series is left out.
            values: its attribute values, in the order of the instrument's keys.
        """
        with self._lock:
            if instrument.name not in self._readings:
                readings = self._readings[instrument.name] = _Readings(instrument)
                self._registry.register(readings)
                self._known[instrument.family] = instrument
            self._readings[instrument.name].reads.append((values, read))

    def collect(self) -> list[tuple[Instrument, Metric]]:
        """Every instrument with its series at this moment."""
        return [(self._known[family.name], family) for family in self._registry.collect()]

    def render(self) -> str:
        """The page, in Prometheus' text format 0.0.4."""
        return generate_latest(self._registry).decode()


def _labels(instrument: Instrument) -> list[str]:
    return [name.replace(".", "_") for name in instrument.attributes]
