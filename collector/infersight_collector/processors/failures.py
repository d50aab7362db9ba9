"""Expressions that cannot be computed for rows: counted, and told once in a while."""

import logging
import time
from dataclasses import dataclass, field
from typing import Final

from infersight_collector.component import Surroundings
from infersight_collector.telemetry import Counter
from infersight_collector.telemetry.instruments import PROCESSOR_FAILURES

_log = logging.getLogger(__name__)

_INTERVAL_S: Final = 60.0
"""Shortest time between two lines about one expression."""


@dataclass
class Failures:
    """The failures of one processor.

    Attributes:
        processor: its name.
        counter: where they are counted.
    """

    processor: str = ""
    counter: Counter | None = None
    _told: dict[str, float] = field(default_factory=dict[str, float])

    def start(self, surroundings: Surroundings) -> None:
        """Learns where to count."""
        self.processor = surroundings.directory.name
        self.counter = surroundings.telemetry.counter(PROCESSOR_FAILURES)

    def add(self, expression: str, error: str, consequence: str) -> None:
        """Counts a batch for some rows of which an expression could not be computed.

        Args:
            expression: where it is configured.
            error: what went wrong, without anything of the rows.
            consequence: what became of these rows.
        """
        if self.counter is not None:
            self.counter.add(1, self.processor)
        now = time.monotonic()
        if now - self._told.get(expression, -_INTERVAL_S) >= _INTERVAL_S:
            self._told[expression] = now
            _log.warning(
                "%s: %s cannot be computed for some rows (%s error), %s", self.processor, expression, error, consequence
            )
