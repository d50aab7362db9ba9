"""Which operators PyTorch ran, by its profiler; in any thread of the process."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any, Final

_OPERATORS: Final = 200
_TRANSFERS: Final = ("memcpy", "memset")


@dataclass(frozen=True)
class ModelProfile:
    """What was measured.

    Args:
        start_ns: when it began, nanoseconds since the epoch.
        end_ns: when it ended.
        device: on what: the name of the GPU, else the CPU and how many threads an operator may use.
        stacks: microseconds of the CPU by the operators that called one another, joined by `;`. Where a device was
            used, its own are apart: the outermost frame says which.
        operators: each operator with its inputs' shapes, those with most time first; times in nanoseconds, memory in
            bytes.
    """

    start_ns: int
    end_ns: int
    device: str
    stacks: dict[str, int]
    operators: list[dict[str, Any]]


def profile_during(work: Callable[[], object], trace: str | PathLike[str], *, everywhere: bool = False) -> ModelProfile:
    """Profile while something is done.

    Args:
        work: what is done.
        trace: where the Chrome trace is written.
        everywhere: whether the operators of all threads count, instead of those of the current one.

    Raises:
        ModuleNotFoundError: PyTorch is not installed.
        TypeError: it is too old to look at all threads.
        Exception: of `work`, or another profiler runs.
    """
    import torch  # noqa: PLC0415 - slow to import, and optional
    from torch.profiler import ProfilerActivity, profile  # noqa: PLC0415 - as above

    options: dict[str, Any] = {}
    if everywhere:
        from torch._C._profiler import _ExperimentalConfig  # noqa: PLC0415 - as above  # pyright: ignore[reportPrivateUsage]

        options["experimental_config"] = _ExperimentalConfig(profile_all_threads=True)
    on_gpu = torch.cuda.is_available()
    activities = [ProfilerActivity.CPU, *[ProfilerActivity.CUDA] * on_gpu]
    with profile(activities=activities, record_shapes=True, profile_memory=True, **options) as profiler:
        start_ns = time.time_ns()
        work()
        if on_gpu:
            torch.cuda.synchronize()
        end_ns = time.time_ns()
    profiler.export_chrome_trace(fspath(trace))
    device = str(torch.cuda.get_device_name()) if on_gpu else f"the CPU, {torch.get_num_threads()} threads"
    return ModelProfile(start_ns, end_ns, device, _stacks(profiler), list(_operators(profiler)))


def _stacks(profiler: Any) -> dict[str, int]:
    events: list[Any] = [event for event in profiler.events() or () if event.device_type.name == "CPU"]
    on_device = any(event.self_device_time_total > 0 for event in events)
    counted: Counter[str] = Counter()
    for event in events:  # a kernel's time is that of the operator that launched it
        stack = ";".join(reversed(list(_names(event))))
        if (own_us := round(event.self_cpu_time_total)) > 0:
            counted[f"CPU;{stack}" if on_device else stack] += own_us
        if (device_us := round(event.self_device_time_total)) > 0:
            counted[f"device;{stack}"] += device_us
    return dict(counted)


def _names(event: Any) -> Iterator[str]:
    """Of an operator and those around it, outwards."""
    while event is not None:
        yield " ".join(str(event.name).replace(";", ",").split())
        event = event.cpu_parent


def _operators(profiler: Any) -> Iterator[dict[str, Any]]:
    # What is freed outside of any operator is an event of its own.
    averages = [one for one in profiler.key_averages(group_by_input_shape=True) if one.key != "[memory]"]
    averages.sort(key=lambda one: -(one.self_device_time_total + one.self_cpu_time_total))
    for one in averages[:_OPERATORS]:
        yield {
            "name": str(one.key),
            "shapes": _shapes(one.input_shapes),
            "calls": int(one.count),
            "self_cpu_ns": round(one.self_cpu_time_total * 1_000),
            "cpu_ns": round(one.cpu_time_total * 1_000),
            "self_device_ns": round(one.self_device_time_total * 1_000),
            "device_ns": round(one.device_time_total * 1_000),
            "self_memory_bytes": int(one.self_cpu_memory_usage),
            "self_device_memory_bytes": int(one.self_device_memory_usage),
            "is_transfer": str(one.key).lower().startswith(_TRANSFERS),
        }


def _shapes(shapes: Any) -> list[list[int]]:
    """Of the tensors among the inputs; a list of tensors has none that can be told."""
    return [list(shape) for shape in shapes or () if shape and all(isinstance(length, int) for length in shape)]
