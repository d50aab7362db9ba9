"""What the processor tells of its decisions: how many, by which policy, and what did not wait for them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from infersight_collector.component import Surroundings
from infersight_collector.processors.tail_sampling.policies import NO_POLICY, Inclusion
from infersight_collector.processors.tail_sampling.traces import Flags
from infersight_collector.telemetry.instruments import (
    SAMPLING_DECIDED_TRACES,
    SAMPLING_DURATION,
    SAMPLING_EARLY_TRACES,
    SAMPLING_LATE_SPANS,
    SAMPLING_WAITING_TRACES,
)

if TYPE_CHECKING:
    from infersight_collector.telemetry import Counter, Histogram

_NOBODY: Final = "none"
"""In place of a policy, for traces that none would keep."""


class Tally:
    """Counts for one processor; before it is started, nothing.

    Args:
        policies: their names.
    """

    def __init__(self, policies: Sequence[str]) -> None:
        self._names: Final = dict(enumerate(policies)) | {NO_POLICY: _NOBODY}
        self._processor = ""
        self._decided: Counter | None = None
        self._early: Counter | None = None
        self._late: Counter | None = None
        self._duration: Histogram | None = None

    def start(self, surroundings: Surroundings, waiting: Callable[[], int]) -> None:
        """Learns where to count.

        Args:
            surroundings: of the processor.
            waiting: gives the number of traces that wait.
        """
        telemetry, self._processor = surroundings.telemetry, surroundings.directory.name
        self._decided = telemetry.counter(SAMPLING_DECIDED_TRACES)
        self._early = telemetry.counter(SAMPLING_EARLY_TRACES)
        self._late = telemetry.counter(SAMPLING_LATE_SPANS)
        self._duration = telemetry.histogram(SAMPLING_DURATION)
        telemetry.observe(SAMPLING_WAITING_TRACES, waiting, self._processor)

    def decided(self, inclusion: Inclusion, is_kept: Flags, seconds: float) -> None:
        """Counts the traces of a round, each for the policy that decided about it.

        Args:
            inclusion: what the policies say.
            is_kept: whether each trace is kept, bool `[traces]`.
            seconds: how long the round took.
        """
        if self._decided is None or self._duration is None:
            return
        self._duration.record(seconds, self._processor)
        for kept, decision in ((True, "kept"), (False, "dropped")):
            policies, counts = np.unique(inclusion.policy[is_kept == kept], return_counts=True)
            for policy, count in zip(policies.tolist(), counts.tolist(), strict=True):
                self._decided.add(count, self._processor, self._names[policy], decision)

    def early(self, traces: int) -> None:
        """Counts traces that are decided before their time."""
        if self._early is not None:
            self._early.add(traces, self._processor)

    def late(self, spans: int) -> None:
        """Counts spans that came after the decision about their trace."""
        if self._late is not None and spans:
            self._late.add(spans, self._processor)
