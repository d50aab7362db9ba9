"""The processor `memory_limiter`: while the process takes too much memory, senders are told to come again."""

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Final

from infersight_collector.component import Batch, Surroundings
from infersight_collector.config.values import Duration
from infersight_collector.errors import CollectorError, MemoryShort
from infersight_collector.processors import memory

_log = logging.getLogger(__name__)

_MIB: Final = 2**20


@dataclass
class MemoryLimiter:
    """Configuration of `memory_limiter`, with the keys of the OpenTelemetry Collector's.

    Requests are refused above the soft limit, the limit less the spike limit: between the two there is room for what
    has been taken already. What is in the log goes on to the exporters meanwhile.

    Attributes:
        check_interval: time between two looks at the memory.
        limit_mib: resident memory that the process should not go beyond, in MiB.
        limit_percentage: the same as a part of the memory that the process may have: of the machine, or of its
            control group where that has a limit. `limit_mib` goes before it.
        spike_limit_mib: how far below the limit the soft one is; a fifth of the limit unless given.
        spike_limit_percentage: the same as a part of the memory, beside `limit_percentage`.
    """

    check_interval: Duration = Duration(1.0)  # noqa: RUF009 - a float
    limit_mib: int = 0
    limit_percentage: int = 0
    spike_limit_mib: int = 0
    spike_limit_percentage: int = 0
    soft_limit: int = field(init=False)
    _short: bool = field(init=False, default=False, repr=False, compare=False)
    _next_look: float = field(init=False, default=0.0, repr=False, compare=False)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("limit_percentage", "spike_limit_percentage"):
            if not 0 <= getattr(self, name) <= 100:
                raise ValueError(f"{name} is not between 0 and 100")
        limit = self.limit_mib * _MIB or memory.available_bytes() * self.limit_percentage // 100
        if limit <= 0:
            raise ValueError("there is no limit: write limit_mib: 2048, or limit_percentage: 75")
        spike = self.spike_limit_mib * _MIB
        if not spike and not self.limit_mib:
            spike = memory.available_bytes() * self.spike_limit_percentage // 100
        self.soft_limit = limit - (spike or limit // 5)
        if not 0 < self.soft_limit <= limit:
            raise ValueError("the spike limit is not below the limit")

    def start(self, surroundings: Surroundings) -> None:
        """Makes sure that there is a limit that can be kept.

        Raises:
            CollectorError: the process takes more than the soft limit before it has received anything.
        """
        del surroundings
        resident = memory.resident_bytes()
        if resident >= self.soft_limit:
            raise CollectorError(
                f"memory_limiter: the collector takes {resident // _MIB} MiB before it has received anything, and the "
                f"soft limit is {self.soft_limit // _MIB} MiB (limit less spike limit): raise limit_mib"
            )

    def admit(self) -> None:
        """Returns while there is memory.

        Raises:
            MemoryShort: the process is above the soft limit.
        """
        # Whoever finds a look due takes it; the others go by the last one.
        if time.monotonic() >= self._next_look and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()
        if self._short:
            raise MemoryShort(self.soft_limit // _MIB)

    def process(self, batch: Batch) -> Batch:
        """The batch as it is: what has been taken goes on."""
        return batch

    def _look(self) -> None:
        short = memory.resident_bytes() >= self.soft_limit
        if short:
            memory.give_back()
            short = memory.resident_bytes() >= self.soft_limit
        if short != self._short:
            tell = _log.warning if short else _log.info
            state = "above" if short else "below"
            tell("memory is %s the soft limit of %d MiB", state, self.soft_limit // _MIB)
        self._short = short
        self._next_look = time.monotonic() + self.check_interval
