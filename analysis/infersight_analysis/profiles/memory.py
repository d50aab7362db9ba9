"""Who allocated the memory of a process at its peak, told by memray: of a process that runs, or of a command."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from importlib.util import find_spec
from itertools import dropwhile
from pathlib import Path
from typing import Any, Final

from infersight_analysis.errors import AnalysisError
from infersight_analysis.profiles.processes import MISSING, Process, program, refused
from infersight_analysis.profiles.recorded import Recorded
from infersight_analysis.profiles.stacks import Stacks, frame, summed
from infersight_analysis.times import SECOND_NS

_DENIED: Final = ("ptrace", "permission", "operation not permitted")
_NO_DEBUGGER: Final = ("debugger could not be found", "could not find", "no debugger", "install gdb")
_TICK_S: Final = 0.05


def attach(process: Process, place: Path, *, duration_s: float, native: bool) -> Recorded:
    """Follow the allocations of a process from now on; Ctrl-C ends it early, as does the process's own end.

    Args:
        process: the process; memray must be installed where it runs.
        place: directory for the profiler's file, which the process writes.
        duration_s: seconds.
        native: whether the frames of native code are kept, too.

    Raises:
        AnalysisError: it cannot be followed, or memray is not installed.
    """
    path, memray = place / "profile.memray.bin", program("memray")
    command = [memray, "attach", "--no-compress", "--output", str(path), *["--native"] * native, str(process.pid)]
    try:
        attached = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace")  # noqa: S603 - no shell
        if attached.returncode:
            raise _failure(process, attached.stdout + attached.stderr)
        note = _wait(process.pid, duration_s)
    except KeyboardInterrupt:
        note = "ended by Ctrl-C"
    subprocess.run([memray, "detach", str(process.pid)], check=False, capture_output=True)  # noqa: S603 - no shell
    return _recorded(path, note)


def run(arguments: Sequence[str], place: Path, *, native: bool) -> tuple[int, int, Recorded]:
    """Run a Python program and follow its allocations from its start to its end; Ctrl-C is passed on to it.

    Args:
        arguments: what would follow `python`: a script or `-m` and a module, and their arguments.
        place: directory for the profiler's file.
        native: whether the frames of native code are kept, too.

    Returns:
        the number of its process, what it exited with, and its profile.

    Raises:
        AnalysisError: nothing was recorded, or memray is not installed.
    """
    if find_spec("memray") is None:
        raise AnalysisError(MISSING)
    path = place / "profile.memray.bin"
    command = [sys.executable, "-m", "memray", "run", "--quiet", "--no-compress", "--output", str(path)]
    # What it prints must not come among what we print.
    with subprocess.Popen([*command, *["--native"] * native, *arguments], stdout=2) as running:  # noqa: S603 - what the user asked to run
        while True:
            try:
                code = running.wait()
            except KeyboardInterrupt:  # the terminal tells both
                continue
            break
    if not path.exists():
        raise AnalysisError(f"`python {' '.join(arguments)}` ended with {code} before anything was recorded")
    note = None if code == 0 else f"it ended with exit code {code}"
    return running.pid, code, _recorded(path, note)


def _wait(pid: int, duration_s: float) -> str | None:
    """Until then, or until the process ends: what is to be known of that."""
    deadline = time.monotonic() + duration_s
    while time.monotonic() < deadline:
        if not Path(f"/proc/{pid}").exists():
            return f"process {pid} ended meanwhile"
        time.sleep(_TICK_S)
    return None


def _recorded(path: Path, note: str | None) -> Recorded:
    from memray import FileReader  # noqa: PLC0415 - an extra

    try:
        reader = FileReader(os.fspath(path))
    except (OSError, ValueError) as error:
        raise AnalysisError(f"memray wrote nothing that can be read: {error}") from error
    with closing(reader):
        about = reader.metadata
        start_ns, end_ns = (round(moment.timestamp() * SECOND_NS) for moment in (about.start_time, about.end_time))
        return Recorded("memory", start_ns, end_ns, "bytes", _peak(reader), path, ".memray.bin", note=note)


def _peak(reader: Any) -> Stacks:
    """The bytes that each stack had allocated, and not freed, when all of them together were most."""
    records: Any = reader.get_high_watermark_allocation_records(merge_threads=True)
    return summed((_stack(record), int(record.size)) for record in records if record.size)


def _stack(record: Any) -> tuple[str, ...]:
    """The frames of an allocation, without those of memray that started the program."""
    frames = record.hybrid_stack_trace() if record.native_stack_id else record.stack_trace()
    own = list(dropwhile(_is_start, reversed(frames)))
    return tuple(frame(*place) for place in own) or ("outside of Python",)


def _is_start(place: tuple[str, str, int]) -> bool:
    _, file, _ = place
    return "/memray/" in file or file.endswith(("memray", "<frozen runpy>", "/runpy.py"))


def _failure(process: Process, said: str) -> AnalysisError:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if any(mark in said.lower() for mark in _DENIED):
        return refused(process.pid, "memray")
    if any(mark in said.lower() for mark in _NO_DEBUGGER):
        return AnalysisError("memray needs gdb or lldb to attach to a process before Python 3.14: install one of them")
    if "memray" in said.lower() and "no module" in said.lower():
        return AnalysisError(f"process {process.pid} cannot import memray: install infersight[profile] where it runs")
    return AnalysisError(f"memray cannot follow process {process.pid}: {lines[-1] if lines else 'it said nothing'}")
