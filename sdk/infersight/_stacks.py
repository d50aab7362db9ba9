"""What the code of each open request is doing, looked at many times a second: its profile by the wall's clock.

A request that runs is seen by the frames of its threads, one that waits by the coroutines that it awaits. Nothing is
formatted here: a stack is a tuple of code objects and instructions, and most requests are forgotten at their end.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple, TypeAlias

from opentelemetry.trace import get_current_span

from infersight._faults import report

Stack: TypeAlias = tuple[tuple[CodeType, int], ...]
"""Code and instruction of each frame, the outermost first: finding their lines would take half of a look again."""

SAMPLES: Final = 4_096
"""Looks that are kept of one request; with the next two it bounds what a request holds."""

STACKS: Final = 256
DEPTH: Final = 96
"""Frames that are kept of one stack, the innermost."""

_POOLS: Final = "infersight._pools"

_IDLE_SECONDS: Final = 1.0
"""So long without a request, and the thread sleeps: to wake it for each one took 1.5 % of a busy server's time."""

_MOST_CPU: Final = 0.01
"""Share of a CPU that looking may take: with many open requests it looks less often."""


class Sample(NamedTuple):
    """One look: when, which of the request's stacks, in which span (0 where it is not known), and whether it waited."""

    time_ns: int  # monotonic
    stack: int
    span_id: int
    awaiting: bool


class RequestStacks:
    """The stacks of one open request.

    Args:
        task: in which it is served; None outside of one.
    """

    __slots__ = ("dropped", "known", "loop", "samples", "task", "threads")

    def __init__(self, task: "asyncio.Task[Any] | None") -> None:
        self.task = task
        self.loop = None if task is None else task.get_loop()
        self.known: dict[Stack, int] = {}
        self.samples: list[Sample] = []
        self.dropped = 0
        self.threads: dict[int, int] = {}  # that work for it now: identity of the thread, and the span that sent it

    @contextmanager
    def in_this_thread(self) -> Generator[None]:
        """A thread of a pool works for the request inside of the block."""
        thread = threading.get_ident()
        self.threads[thread] = get_current_span().get_span_context().span_id
        try:
            yield
        finally:
            self.threads.pop(thread, None)

    def saw(self, time_ns: int, stack: Stack, span_id: int, *, awaiting: bool = False) -> None:
        """Keep one look; count it where there is no room."""
        if not stack:
            return
        number = self.known.get(stack)
        if len(self.samples) >= SAMPLES or (number is None and len(self.known) >= STACKS):
            self.dropped += 1
            return
        if number is None:
            number = self.known[stack] = len(self.known)
        self.samples.append(Sample(time_ns, number, span_id, awaiting))


class StackSampler:
    """Looks at all open requests at a rate, on a thread of its own that sleeps while there are none.

    Args:
        rate: looks a second, at most.
        monotonic_ns: the clock of the looks.
    """

    def __init__(self, rate: float, monotonic_ns: Callable[[], int]) -> None:
        self.rate = rate
        self._monotonic_ns = monotonic_ns
        self._open: set[RequestStacks] = set()
        self._is_idle = False
        self._wanted = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> RequestStacks:
        """A request begins in the current task."""
        try:
            task = asyncio.current_task()
        except RuntimeError:  # no loop runs in this thread
            task = None
        stacks = RequestStacks(task)
        self._open.add(stacks)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="infersight-stacks", daemon=True)
            self._thread.start()
        if self._is_idle:
            self._wanted.set()
        return stacks

    def end(self, stacks: RequestStacks) -> None:
        """The request ends: no more is added to what was seen."""
        self._open.discard(stacks)

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self._wanted.set()

    def _run(self) -> None:
        last_open = time.monotonic()
        while not self._stopped.is_set():
            if self._open:
                last_open = time.monotonic()
            elif time.monotonic() - last_open > _IDLE_SECONDS:
                self._sleep()
            began = time.thread_time()
            try:
                self.look()
            except Exception:  # noqa: BLE001 - the next look may go well
                report("look at the stacks of requests")
            self._stopped.wait(max(1 / self.rate, (time.thread_time() - began) / _MOST_CPU))

    def _sleep(self) -> None:
        """Until a request begins, or all ends."""
        self._is_idle = True
        if not self._open:  # none began before it could see that
            self._wanted.wait()
        self._is_idle = False
        self._wanted.clear()

    def look(self) -> None:
        """See what each open request does now."""
        now_ns, frames = self._monotonic_ns(), sys._current_frames()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - documented, for this use
        running: dict[asyncio.AbstractEventLoop, asyncio.Task[Any] | None] = {}
        for stacks in tuple(self._open):
            for thread, span_id in tuple(stacks.threads.items()):
                if (frame := frames.get(thread)) is not None:
                    stacks.saw(now_ns, _pool_stack(frame), span_id)
            if stacks.task is None or stacks.loop is None:
                continue
            if stacks.loop not in running:
                running[stacks.loop] = asyncio.current_task(stacks.loop)
            if running[stacks.loop] is stacks.task:
                stacks.saw(now_ns, _running_stack(stacks.task, frames), _span_of(stacks.task))
            elif not stacks.threads:
                stacks.saw(now_ns, _awaited_stack(stacks.task), _span_of(stacks.task), awaiting=True)


def _running_stack(task: "asyncio.Task[Any]", frames: Mapping[int, FrameType]) -> Stack:
    """The frames of a task that runs, from its coroutine inwards; empty where no thread has that any more."""
    outermost = getattr(task.get_coro(), "cr_frame", None)
    for frame in frames.values():
        stack = _stack(frame, outermost)
        if stack is not None:
            return stack
    return ()


def _stack(innermost: FrameType, outermost: FrameType | None) -> Stack | None:
    """From one frame to another outside of it; None where that one is not outside of it."""
    found: list[tuple[CodeType, int]] = []
    frame: FrameType | None = innermost
    while frame is not None:
        found.append((frame.f_code, frame.f_lasti))
        if frame is outermost:
            return tuple(reversed(found[:DEPTH]))
        frame = frame.f_back
    return None


def _pool_stack(innermost: FrameType) -> Stack:
    """The frames of a thread inside of what the SDK let it run."""
    found: list[tuple[CodeType, int]] = []
    frame: FrameType | None = innermost
    while frame is not None and frame.f_globals.get("__name__") != _POOLS:
        found.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return tuple(reversed(found[:DEPTH]))


def _awaited_stack(task: "asyncio.Task[Any]") -> Stack:
    """The coroutines of a task that waits, each where it awaits the next."""
    found: list[tuple[CodeType, int]] = []
    awaited: Any = task.get_coro()
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is None:
            break
        found.append((frame.f_code, frame.f_lasti))
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
    return tuple(found[-DEPTH:])


def _span_of(task: "asyncio.Task[Any]") -> int:
    """The span that is current in a task, from Python 3.12 on; 0 before."""
    if sys.version_info < (3, 12):
        return 0
    return int(task.get_context().copy().run(get_current_span).get_span_context().span_id)


def folded(stack: Stack) -> str:
    """A stack as one line, the outermost frame first: `function (file:line);function (file:line)`, as py-spy has it."""
    return ";".join(
        f"{code.co_qualname} ({code.co_filename}:{_line(code, instruction)})".replace(";", ",")
        for code, instruction in stack
    )


def _line(code: CodeType, instruction: int) -> int:
    """The line of source of an instruction, by its offset in bytes."""
    lines = (line for begin, end, line in code.co_lines() if begin <= instruction < end and line is not None)
    return next(lines, code.co_firstlineno)
