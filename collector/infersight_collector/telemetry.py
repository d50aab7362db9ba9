"""The collector's own counters, and the page on which Prometheus reads them (text format 0.0.4)."""

import threading
from collections.abc import Callable
from typing import Final

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Counter:
    """Sums that only grow, one for each combination of label values.

    Args:
        name: the metric's name, ending in `_total` (or in `_sum`, `_count` as a part of a summary).
        labels: the names of its labels.
    """

    def __init__(self, name: str, labels: tuple[str, ...]) -> None:
        self._name = name
        self._labels = labels
        self._sums: dict[tuple[str, ...], float] = {}
        self._lock = threading.Lock()

    def add(self, amount: float, *values: str) -> None:
        """Adds to the sum of these label values."""
        with self._lock:
            self._sums[values] = self._sums.get(values, 0.0) + amount

    def lines(self) -> list[str]:
        """The sums as lines of the page."""
        with self._lock:
            sums = sorted(self._sums.items())
        if not sums and not self._labels:
            sums = [((), 0.0)]
        return [f"{self._name}{self._label_text(values)} {amount:.15g}" for values, amount in sums]

    def _label_text(self, values: tuple[str, ...]) -> str:
        pairs = zip(self._labels, values, strict=True)
        text = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in pairs)
        return f"{{{text}}}" if text else ""


class Telemetry:
    """All metrics of one collector."""

    def __init__(self) -> None:
        self._page: list[tuple[str, str, str, Callable[[], list[str]]]] = []
        self.accepted_requests: Final = self._counter("accepted_requests_total", "Requests acknowledged", "signal")
        self.accepted_records: Final = self._counter(
            "accepted_records_total", "Spans, log records and data points acknowledged", "signal"
        )
        self.refused_requests: Final = self._counter(
            "refused_requests_total", "Requests not acknowledged", "signal", "reason"
        )
        self.stored_segments: Final = self._counter("stored_segments_total", "Log segments written to the store")
        self.quarantined_segments: Final = self._counter(
            "quarantined_segments_total", "Log segments set aside because something in them could not be stored"
        )
        self.failed_flushes: Final = self._counter("failed_flushes_total", "Flushes that have to be tried again")
        self.flush_seconds: Final = self._counter("flush_seconds_total", "Time spent in flushes")

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Adds a value that is read when the page is.

        Args:
            name: the metric's name, without the prefix of this program.
            text: what it is, for people.
            read: gives the value at the moment.
        """
        full = f"infersight_collector_{name}"
        self._page.append((full, "gauge", text, lambda: [f"{full} {read():.15g}"]))

    def render(self) -> str:
        """The page."""
        lines: list[str] = []
        for name, kind, text, read in self._page:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}", *read()]
        return "\n".join(lines) + "\n"

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        full = f"infersight_collector_{name}"
        counter = Counter(full, labels)
        self._page.append((full, "counter", text, counter.lines))
        return counter
