"""Programs of others, run with a list of arguments, a time limit, and their output read while it comes."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Final, Literal

from infersight_analysis.times import SECOND_NS

Ending = Literal["exited", "killed", "timed out", "not found", "not started"]

_GRACE_S: Final = 5.0
"""How long a program may take to end after it was asked to."""
_LOOK_S: Final = 0.1
_DRAIN_S: Final = 1.0
_KEPT: Final = 64 * 1024
"""Most characters of each stream that are kept, the last ones; a program may print without end."""
_PIECE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended.

    Args:
        command: the program and its arguments.
        ending: `exited` by itself, with `code`; `killed` by the signal `code`; `timed out`; `not found`, or
            `not started` for another reason, which is in `complaints`.
        code: exit status or number of the signal, where there is one.
        output: what it wrote to stdout, the end of it.
        complaints: what it wrote to stderr, the end of it.
        duration_ns: how long it took.
    """

    command: tuple[str, ...]
    ending: Ending
    code: int | None
    output: str
    complaints: str
    duration_ns: int

    @property
    def succeeded(self) -> bool:
        """Whether it ended by itself and said that all is well."""
        return self.ending == "exited" and self.code == 0


def run(command: Sequence[str], *, timeout_s: float, told: Callable[[str], None]) -> Outcome:
    """Run a program to its end; there is no shell, and it has nothing to read.

    It is the head of a process group of its own: what it started ends with it when it is ended, and a Ctrl-C on the
    terminal reaches us alone, so that it is us who say what state was left behind.

    Args:
        command: the program and its arguments.
        timeout_s: how long it may take, in seconds.
        told: hears each line that it prints.

    Raises:
        KeyboardInterrupt: we were interrupted; the program has ended by then.
    """
    begun = time.monotonic()
    try:
        process = subprocess.Popen(  # noqa: S603 - a list of arguments, each checked by its target
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0
        )
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        said = error.strerror or str(error)
        return Outcome(tuple(command), "not found" if missing else "not started", None, "", said, 0)
    with process:
        streams = _Streams(process, told)
        try:
            in_time = streams.follow(begun + timeout_s)
        except BaseException:
            _end(process, signal.SIGINT)
            raise
        if not in_time:
            _end(process, signal.SIGTERM)
        streams.drain()
        code = process.returncode
    ending: Ending = "timed out" if not in_time else "killed" if code < 0 else "exited"
    took = round((time.monotonic() - begun) * SECOND_NS)
    return Outcome(tuple(command), ending, None if not in_time else abs(code), *streams.texts, took)


class _Streams:
    """What a program writes, read while it runs, by us alone: no thread outlives it when a child keeps its pipes."""

    def __init__(self, process: "subprocess.Popen[bytes]", told: Callable[[str], None]) -> None:
        self._process: Final = process
        self._told: Final = told
        self._selector: Final = selectors.DefaultSelector()
        self._kept: Final[dict[IO[bytes], bytes]] = {}
        self._begun: Final[dict[IO[bytes], bytes]] = {}
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                self._selector.register(pipe, selectors.EVENT_READ)
                self._kept[pipe] = self._begun[pipe] = b""

    @property
    def texts(self) -> tuple[str, str]:
        """What stdout and stderr ended with."""
        out, err = (kept.decode("utf-8", "replace") for kept in self._kept.values())
        return out, err

    def follow(self, deadline: float) -> bool:
        """Reads until the program has ended; whether that was before the deadline."""
        while self._process.poll() is None:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if self._selector.get_map():
                self._read(min(left, _LOOK_S))
            else:
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(min(left, _LOOK_S))
        return True

    def drain(self) -> None:
        """Takes what is there still, and closes; a child that goes on to write is left to itself."""
        deadline = time.monotonic() + _DRAIN_S
        while self._selector.get_map() and time.monotonic() < deadline and self._read(0):
            pass
        for line in self._begun.values():
            if line:
                self._told(line.decode("utf-8", "replace"))
        self._selector.close()

    def _read(self, wait_s: float) -> bool:
        """Whether there was anything."""
        ready = self._selector.select(wait_s)
        for key, _ in ready:
            pipe: IO[bytes] = key.fileobj  # type: ignore[assignment] # what was registered
            piece = os.read(pipe.fileno(), _PIECE)
            if not piece:
                self._selector.unregister(pipe)
            self._kept[pipe] = (self._kept[pipe] + piece)[-_KEPT:]
            *lines, rest = (self._begun[pipe] + piece).replace(b"\r", b"\n").split(b"\n")
            self._begun[pipe] = rest[-_KEPT:]
            for line in lines:
                if line.strip():
                    self._told(line.decode("utf-8", "replace"))
        return bool(ready)


def _end(process: "subprocess.Popen[bytes]", first: signal.Signals) -> None:
    """Ends a program, kindly at first, and what it started."""
    _signal(process, first)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_S)
    _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process: "subprocess.Popen[bytes]", sent: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # nobody is left
        os.killpg(process.pid, sent)
