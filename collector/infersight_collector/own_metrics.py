"""The collector's own metrics on their way into its own pipeline, as OTLP, every few seconds."""

import logging
import threading
import time
from collections.abc import Callable

from infersight_collector.errors import Overloaded
from infersight_collector.store.errors import StoreUnavailable
from infersight_collector.telemetry import Telemetry
from infersight_collector.telemetry.otlp import encode

_log = logging.getLogger(__name__)


class OwnMetrics:
    """Sends them from a thread of its own.

    Args:
        telemetry: what is sent.
        keep: keeps a request durably, see `Intake.keep_own`.
        interval_s: time between two requests, in seconds.
    """

    def __init__(self, telemetry: Telemetry, keep: Callable[[bytes], None], interval_s: float) -> None:
        self._telemetry = telemetry
        self._keep = keep
        self._interval_s = interval_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="own-metrics", daemon=True)

    def start(self) -> None:
        """Begins to send."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._interval_s):
            try:
                self._keep(encode(self._telemetry, time.time_ns()))
            except (Overloaded, StoreUnavailable):
                # Senders come first where there is no room. Sums are cumulative, so the next request makes up for it.
                _log.debug("own metrics are left out this time", exc_info=True)
            except Exception:  # noqa: BLE001 - a bug here must cost nothing else
                _log.exception("own metrics cannot be sent")
