"""Compilations by `torch.compile`, as events of the forward call that had to wait for them.

PyTorch calls back at the end of a compilation, in the thread that waits for it, and keeps an account of the last ones
(`torch._dynamo.utils.get_compilation_metrics`), which has the reasons once the compilation is over. Neither is public;
where a version of PyTorch has them otherwise there are no such events, and nothing else is missing.
"""

import re
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

from opentelemetry.trace import Span

from infersight import _attributes as names
from infersight._values import AttributeValue, safe_str

_RESUMED: Final = re.compile(r"torch_dynamo_resume_in_(?P<function>.+)_at_(?P<line>\d+)$")
"""Name of what PyTorch compiles behind a graph break: it says where the break is."""

_EVENTS: Final = 16
_REASON_LENGTH: Final = 1_000
_REMEMBERED: Final = 64


class Compilations:
    """The ids of the compilations in each thread that no forward call has taken yet."""

    def __init__(self) -> None:
        self._of_thread = threading.local()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[..., None]] | None = None

    def begin(self) -> int:
        """A forward call begins; what to give to `end`."""
        if "torch._dynamo.callback" in sys.modules and (self._callbacks is None or self._ended not in self._callbacks):
            self._register()
        ids = self._ids()
        if len(ids) > _REMEMBERED:  # compiled outside of every forward call
            ids.clear()
        return len(ids)

    def end(self, began: int, span: Span) -> None:
        """The forward call ends: put the compilations since its `begin` on its span."""
        ids = self._ids()
        if len(ids) > began:
            taken = ids[began:]
            del ids[began:]
            if span.is_recording():
                for name, attributes, time_ns in _events(taken):
                    span.add_event(name, attributes, time_ns)

    def _register(self) -> None:
        """At the first call, and anew after `torch.compiler.reset()`, which clears the callbacks."""
        with self._lock:
            try:
                from torch._dynamo.callback import callback_handler  # noqa: PLC0415 - is loaded, by what compiled

                self._callbacks = cast("list[Callable[..., None]]", callback_handler.end_callbacks)
            except (ImportError, AttributeError):  # a PyTorch that has them elsewhere
                self._callbacks = [self._ended]
            if self._ended not in self._callbacks:
                self._callbacks.append(self._ended)

    def _ended(self, *arguments: Any) -> None:
        compile_id = getattr(arguments[0], "compile_id", None) if arguments else None
        if isinstance(compile_id, str):
            self._ids().append(compile_id)

    def _ids(self) -> list[str]:
        ids: list[str] | None = getattr(self._of_thread, "ids", None)
        if ids is None:
            ids = self._of_thread.ids = []
        return ids


compilations: Final = Compilations()
"""One for all models: PyTorch's callbacks are for the whole process."""


def _events(ids: list[str]) -> Iterator[tuple[str, dict[str, AttributeValue], int | None]]:
    from torch._dynamo.utils import get_compilation_metrics  # noqa: PLC0415 - is loaded, by what compiled

    latest = {getattr(metrics, "compile_id", None): metrics for metrics in get_compilation_metrics()}
    break_reason = ""
    for metrics in [latest[id_] for id_ in ids if id_ in latest][:_EVENTS]:
        ended_us = getattr(metrics, "end_time_us", None)
        time_ns = ended_us * 1000 if isinstance(ended_us, int) else None
        code: dict[str, AttributeValue] = {
            names.CODE_FUNCTION_NAME: str(metrics.co_name),
            names.CODE_FILE_PATH: str(metrics.co_filename),
            names.CODE_LINE_NUMBER: metrics.co_firstlineno,
        }
        resumed = _RESUMED.match(str(metrics.co_name))
        if resumed is not None:
            code[names.CODE_FUNCTION_NAME] = resumed["function"]
            code[names.CODE_LINE_NUMBER] = int(resumed["line"])
            if _is_first(metrics):  # a recompilation of what is behind a break is no other break
                reason: dict[str, AttributeValue] = {names.GRAPH_BREAK_REASON: break_reason} if break_reason else {}
                yield names.GRAPH_BREAK, code | reason, time_ns
        break_reason = _text(next(iter(getattr(metrics, "restart_reasons", None) or ()), ""))
        yield names.COMPILATION, code | _facts(metrics), time_ns


def _facts(metrics: Any) -> dict[str, AttributeValue]:
    facts: dict[str, AttributeValue] = {names.COMPILE_ID: metrics.compile_id}
    duration_us = getattr(metrics, "duration_us", None)
    if duration_us is not None:
        facts[names.COMPILE_DURATION] = duration_us / 1e6
    recompiled_for = getattr(metrics, "recompile_reason", None)
    if recompiled_for:
        facts[names.RECOMPILE_REASON] = _text(recompiled_for)
    return facts


def _is_first(metrics: Any) -> bool:
    """Whether it is the first compilation of its frame, for an id is FRAME/NUMBER or FRAME/NUMBER_ATTEMPT."""
    number = str(metrics.compile_id).rpartition("/")[2]
    return number.partition("_")[0] == "0"


def _text(reason: object) -> str:
    return safe_str(reason)[:_REASON_LENGTH]
