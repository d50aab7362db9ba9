"""The processor `batch`: how often what waits in the log is delivered, and in which portions."""

from dataclasses import dataclass

from infersight_collector.component import Batch
from infersight_collector.config.values import Duration


@dataclass(frozen=True)
class BatchProcessor:
    """Configuration of `batch`; it gathers nothing itself, since what waits is already in the log.

    There is one log, so of several timeouts the shortest holds, for every pipeline.

    Attributes:
        timeout: longest time from one delivery to the next.
        send_batch_size: records of a signal that wait before it is delivered without waiting for the timeout; 0 for
            the timeout alone. Small deliveries cost more: each is a commit.
        send_batch_max_size: most rows of a table in one batch for the exporters; 0 for all there are.
    """

    timeout: Duration = Duration(1.0)  # noqa: RUF009 - a float
    send_batch_size: int = 65_536
    send_batch_max_size: int = 0

    def __post_init__(self) -> None:
        for name in ("send_batch_size", "send_batch_max_size"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is negative: write 0 to have no such limit")

    def process(self, batch: Batch) -> Batch:
        """The batch as it is: the pipeline cuts it behind all processors."""
        return batch
