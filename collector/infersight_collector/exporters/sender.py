"""Sends what waits in a queue, in order, as long as it takes."""

import logging
import random
import threading
import time
from dataclasses import dataclass
from typing import Final

from infersight_collector.component import Trouble
from infersight_collector.config.values import Duration
from infersight_collector.exporters.outcome import Client, Delivered, Later, Outcome, Refused
from infersight_collector.exporters.sending_queue import Item, SendingQueue
from infersight_collector.telemetry import Telemetry
from infersight_collector.telemetry.instruments import (
    EXPORTER_FAILED_SENDS,
    EXPORTER_REJECTED_RECORDS,
    EXPORTER_SENT_BYTES,
    EXPORTER_SENT_REQUESTS,
    EXPORTER_SET_ASIDE_REQUESTS,
)

_log = logging.getLogger(__name__)

_LONGEST_WAIT_S: Final = 3_600.0
"""Longest time that a receiver can make us wait."""


@dataclass(frozen=True)
class RetryConfig:
    """`retry_on_failure`; keys as in the OpenTelemetry Collector.

    Attributes:
        enabled: whether a request that failed is sent again; else it is set aside.
        initial_interval: time before the second attempt; each following wait is half as long again, on average.
        max_interval: longest time between two attempts, unless the receiver asks for more.
        max_elapsed_time: how long a request is tried before it is set aside. Without it, for ever.
    """

    enabled: bool = True
    initial_interval: Duration = Duration(1.0)  # noqa: RUF009 - a float
    max_interval: Duration = Duration(30.0)  # noqa: RUF009 - a float
    max_elapsed_time: Duration | None = None


class Sender:
    """A thread between a queue and a receiver.

    Args:
        name: of the exporter.
        queue: what to send.
        client: speaks to the receiver.
        retry: what to do when that fails.
        grace_s: after `stop`, how long to go on with what still waits, while all goes well, in seconds.
        telemetry: the counters.

    Attributes:
        trouble: why nothing is sent at the moment, or None.
    """

    def __init__(
        self,
        name: str,
        queue: SendingQueue,
        client: Client,
        *,
        retry: RetryConfig,
        grace_s: float,
        telemetry: Telemetry,
    ) -> None:
        self._name = name
        self._queue = queue
        self._client = client
        self._retry = retry
        self._grace_s = grace_s
        self._sent = telemetry.counter(EXPORTER_SENT_REQUESTS)
        self._sent_bytes = telemetry.counter(EXPORTER_SENT_BYTES)
        self._failed = telemetry.counter(EXPORTER_FAILED_SENDS)
        self._set_aside = telemetry.counter(EXPORTER_SET_ASIDE_REQUESTS)
        self._rejected = telemetry.counter(EXPORTER_REJECTED_RECORDS)
        self.trouble: Trouble | None = None
        self._stopping = threading.Event()
        self._deadline = float("inf")
        self._thread = threading.Thread(target=self._run, name=f"send {name}", daemon=True)

    def start(self) -> None:
        """Begins to send."""
        self._thread.start()

    def stop(self) -> None:
        """Sends what can be sent at once, and ends."""
        self._deadline = time.monotonic() + self._grace_s
        self._stopping.set()
        self._queue.close()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while time.monotonic() < self._deadline and (item := self._queue.next()) is not None:
            try:
                if not self._deliver(item):
                    return
            except Exception:  # noqa: BLE001 - the thread must live on: a full or failing disk may recover
                _log.exception("exporter %s: a request cannot be sent, and is tried again", self._name)
                if self._stopping.wait(self._retry.max_interval):
                    return

    def _deliver(self, item: Item) -> bool:
        """Sends a request until something has come of it; False where the collector stops before."""
        try:
            request = item.path.read_bytes()
        except FileNotFoundError:
            _log.error("exporter %s: %s is gone, and was not sent", self._name, item.path)
            self._queue.done(item)
            return True
        began = time.monotonic()
        interval = float(self._retry.initial_interval)
        attempts = 1
        while True:
            outcome = self._client.send(item.signal, request)
            if isinstance(outcome, Delivered):
                self._note_delivery(item, outcome, attempts)
                self._queue.done(item)
                return True
            self._failed.add(1, self._name)
            if self._is_final(outcome, began) and self._give_up(item, outcome):
                return True
            wait = self._wait(outcome, interval)
            self.trouble = Trouble(outcome.message, began, time.monotonic() + wait, wait)
            _log.warning(
                "exporter %s: attempt %d failed, the next one is in %.1f s: %s",
                *(self._name, attempts, wait, outcome.message),
                extra={"component": self._name},
            )
            if self._stopping.wait(wait):
                return False
            interval = min(1.5 * interval, self._retry.max_interval)
            attempts += 1

    def _is_final(self, outcome: Later | Refused, began: float) -> bool:
        longest = self._retry.max_elapsed_time
        too_long = longest is not None and time.monotonic() - began >= longest
        return isinstance(outcome, Refused) or not self._retry.enabled or too_long

    def _wait(self, outcome: Outcome, interval: float) -> float:
        """What the receiver says; else a time around the interval, so that its senders do not come all at once."""
        if isinstance(outcome, Later) and outcome.after_s is not None:
            return min(outcome.after_s, _LONGEST_WAIT_S)
        return interval * random.uniform(0.5, 1.5)  # noqa: S311 - nothing secret

    def _note_delivery(self, item: Item, outcome: Delivered, attempts: int) -> None:
        self.trouble = None
        self._sent.add(1, self._name)
        self._sent_bytes.add(item.size, self._name)
        if attempts > 1:
            _log.info("exporter %s: sent after %d attempts", self._name, attempts)
        if outcome.rejected:
            self._rejected.add(outcome.rejected, self._name)
        if outcome.rejected or outcome.message:
            _log.warning(
                "exporter %s: the receiver took a request and rejected %d records in it: %s",
                *(self._name, outcome.rejected, outcome.message),
            )

    def _give_up(self, item: Item, outcome: Later | Refused) -> bool:
        """Sets a request aside; False where those that were set aside have no more room."""
        kept = self._queue.set_aside(item)
        if kept is None:
            _log.error("exporter %s: no more room for refused requests: look at them and remove them", self._name)
            return False
        self.trouble = None
        self._set_aside.add(1, self._name)
        _log.error(
            "exporter %s: a request of %d bytes is set aside as %s: %s", self._name, item.size, kept, outcome.message
        )
        return True
