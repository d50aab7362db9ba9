"""What only an accelerator can tell about a forward call; all that needs CUDA is in this module.

CUDA is asynchronous: a call returns when its kernels are enqueued. What they did is read later from events and flags
that are enqueued around them, without ever making the host wait.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import torch


class Mark(Protocol):
    """A point in a device's work."""

    def query(self) -> bool:
        """Whether the device has come by it."""
        ...


class Accelerator(Protocol):
    """One device that works asynchronously."""

    def mark(self) -> Mark | None:
        """Mark this point of the current stream; None while the stream is captured into a graph."""
        ...

    def seconds_between(self, begin: Mark, end: Mark) -> float:
        """Seconds of device time between two marks that the device has come by."""
        ...

    def finite_later(self, tensors: Sequence[torch.Tensor]) -> Callable[[], bool]:
        """Whether all elements are finite: to be called when a mark that was set after this one is passed."""
        ...

    def memory(self) -> tuple[int, int]:
        """Bytes: the most that was ever allocated (or since the last reset), and what the allocator holds now."""
        ...

    def memory_summary(self) -> str:
        """The allocator's account of itself."""
        ...


AcceleratorOf = Callable[[torch.device], Accelerator | None]


def accelerator_of(device: torch.device) -> Accelerator | None:
    """The accelerator for a device; None for one that works synchronously (the CPU), or that we do not know."""
    return Cuda(device) if device.type == "cuda" else None


class Cuda:
    """One CUDA (or ROCm) device."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def mark(self) -> torch.cuda.Event | None:
        """An event with a time, recorded on the device's current stream."""
        if torch.cuda.is_current_stream_capturing():
            return None
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self._device))
        return event

    def seconds_between(self, begin: Mark, end: Mark) -> float:
        """Difference of two events, which have a resolution of half a microsecond."""
        if not isinstance(begin, torch.cuda.Event) or not isinstance(end, torch.cuda.Event):
            raise TypeError("the marks of a CUDA device are events")
        milliseconds: float = begin.elapsed_time(end)
        return milliseconds / 1000

    def finite_later(self, tensors: Sequence[torch.Tensor]) -> Callable[[], bool]:
        """A flag, computed on the device and copied to pinned host memory when the stream gets there."""
        with torch.no_grad():
            extremes = torch.stack([extreme.float() for tensor in tensors for extreme in torch.aminmax(tensor)])
            host = torch.empty((), dtype=torch.bool, pin_memory=True)
            host.copy_(torch.isfinite(extremes).all(), non_blocking=True)
        return lambda: bool(host)

    def memory(self) -> tuple[int, int]:
        """Of the caching allocator."""
        return torch.cuda.max_memory_allocated(self._device), torch.cuda.memory_reserved(self._device)

    def memory_summary(self) -> str:
        """The caching allocator's table."""
        return torch.cuda.memory_summary(self._device, abbreviated=True)
