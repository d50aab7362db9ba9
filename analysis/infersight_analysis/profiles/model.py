"""Which operators a model spends its time in, told by PyTorch's profiler."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from infersight_analysis.errors import AnalysisError
from infersight_analysis.profiles.recorded import Recorded
from infersight_analysis.profiles.stacks import Stacks, summed

_OPERATORS: Final = 200
_TRANSFERS: Final = ("memcpy", "memset")


def called(name: str) -> Callable[[], object]:
    """What `MODULE:CALLABLE` names; modules of the working directory count.

    Raises:
        AnalysisError: there is no such thing, or it cannot be called.
    """
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise AnalysisError(f"{name!r} is no MODULE:CALLABLE, such as app:predict")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise AnalysisError(f"cannot find {name}: {error}") from error
    if not callable(found):
        raise AnalysisError(f"{name} is no function: it cannot be called")
    function: Callable[[], object] = found
    return function


def record(function: Callable[[], object], place: Path, *, steps: int, warmup: int) -> Recorded:
    """Call a function and see what PyTorch does meanwhile; what it prints goes to stderr.

    Args:
        function: called without arguments.
        place: directory for the profiler's file.
        steps: calls that are looked at.
        warmup: calls before these, in which kernels are chosen and caches are filled.

    Raises:
        AnalysisError: a call failed, or PyTorch is not installed.
    """
    try:
        import torch  # noqa: PLC0415 - an extra, and slow to import
        from torch.profiler import ProfilerActivity, profile  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise AnalysisError(
            "the profile of a model needs the 'torch' extra: pip install 'infersight[torch]'"
        ) from error
    activities = [ProfilerActivity.CPU, *[ProfilerActivity.CUDA] * torch.cuda.is_available()]
    path = place / "profile.trace.json"
    try:
        with redirect_stdout(sys.stderr):
            for _ in range(warmup):
                function()
            with profile(activities=activities, record_shapes=True, profile_memory=True) as profiler:
                start_ns = time.time_ns()
                for _ in range(steps):
                    function()
                if torch.cuda.is_available():
                    torch.cuda.synchronize()
                end_ns = time.time_ns()
    except Exception as error:
        raise AnalysisError(f"a call failed: {type(error).__name__}: {error}") from error
    profiler.export_chrome_trace(str(path))
    stacks = stacks_of(profiler.events() or ())
    note = f"{steps} calls after {warmup} to warm up, on {_device(torch)}"
    return Recorded(
        "model", start_ns, end_ns, "us", stacks, path, ".trace.json", None, note, list(operators(profiler))[:_OPERATORS]
    )


def _device(torch: Any) -> str:
    return (
        str(torch.cuda.get_device_name())
        if torch.cuda.is_available()
        else f"the CPU, {torch.get_num_threads()} threads"
    )


def stacks_of(events: Iterable[Any]) -> Stacks:
    """Microseconds of the CPU by the operators that called one another; those of a device in stacks of their own."""
    found = list(events)
    on_device = any(_device_us(event) > 0 for event in found)
    return summed(_parts(found, on_device=on_device))


def _parts(events: list[Any], *, on_device: bool) -> Iterator[tuple[tuple[str, ...], int]]:
    for event in events:
        if event.device_type.name != "CPU":
            continue  # a kernel's time is that of the operator that launched it
        names: list[str] = []
        above: Any = event
        while above is not None:
            names.append(str(above.name))
            above = above.cpu_parent
        stack = tuple(reversed(names))
        if (own := round(event.self_cpu_time_total)) > 0:
            yield ("CPU",) * on_device + stack, own
        if (device := round(_device_us(event))) > 0:
            yield ("device", *stack), device


def _device_us(event: Any) -> float:
    """Called `self_cuda_time_total` before PyTorch 2.4."""
    return float(getattr(event, "self_device_time_total", 0.0))


def operators(profiler: Any) -> Iterator[dict[str, Any]]:
    """Each operator with its inputs' shapes, those with most time first; times in nanoseconds, memory in bytes."""
    # What is freed outside of any operator is an event of its own.
    averages = [one for one in profiler.key_averages(group_by_input_shape=True) if one.key != "[memory]"]
    for one in sorted(averages, key=lambda one: -(one.self_device_time_total + one.self_cpu_time_total)):
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
