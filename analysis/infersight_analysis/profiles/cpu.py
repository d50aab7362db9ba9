"""What the code of a process does, sampled from outside by py-spy; the process is not changed."""

import json
import re
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from infersight_analysis.errors import AnalysisError
from infersight_analysis.profiles.processes import Process, program, refused
from infersight_analysis.profiles.recorded import Recorded
from infersight_analysis.profiles.stacks import Stacks, frame

_DENIED: Final = ("permission denied", "operation not permitted", "os error 1)", "os error 13)")
_ENDED: Final = "process exited"
_PROCESS: Final = re.compile(r"Process (?P<pid>\d+) ")


def record(
    process: Process, place: Path, *, duration_s: float, rate: int, native: bool, subprocesses: bool
) -> Recorded:
    """Sample a process; Ctrl-C ends it early and keeps what was seen, as does the process's own end.

    Args:
        process: the process.
        place: directory for the profiler's file.
        duration_s: seconds.
        rate: samples a second.
        native: whether the frames of native code are seen, too.
        subprocesses: whether the processes that it started are sampled, too.

    Raises:
        AnalysisError: it cannot be sampled, or py-spy is not installed.
    """
    path = place / "profile.speedscope.json"
    command = [program("py-spy"), "record", "--pid", str(process.pid), "--rate", str(rate), "--full-filenames"]
    command += ["--duration", str(max(1, round(duration_s))), "--format", "speedscope", "--output", str(path)]
    command += ["--native"] * native + ["--subprocesses"] * subprocesses
    start_ns = time.time_ns()
    said, stopped = _run(command)
    end_ns = time.time_ns()
    if not path.exists():
        raise _failure(process, said)
    document = json.loads(path.read_text("utf-8"))
    ended = f"process {process.pid} ended meanwhile" if _ENDED in said else None
    note = ended or ("ended by Ctrl-C" if stopped else None)
    return Recorded(
        kind="cpu",
        start_ns=start_ns,
        end_ns=end_ns,
        unit="samples",
        stacks=stacks_of(document),
        original=path,
        suffix=".speedscope.json",
        rate=float(rate),
        note=note,
        others=tuple(processes_of(document) - {process.pid}),
    )


def _run(command: list[str]) -> tuple[str, bool]:
    """What it said, and whether it was stopped by Ctrl-C: in a session of its own it hears of that from us, once."""
    stopped = False
    with subprocess.Popen(  # noqa: S603 - no shell, a profiler's own path
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True
    ) as running:
        while True:
            try:
                said, _ = running.communicate()
            except KeyboardInterrupt:
                stopped = True
                running.send_signal(signal.SIGINT)
            else:
                return said, stopped


def stacks_of(document: dict[str, Any]) -> Stacks:
    """The samples of a speedscope document by stack; threads are the outermost frames where there are several.

    Args:
        document: as py-spy writes it.
    """
    frames = [
        frame(str(each["name"]), str(each["file"] or ""), int(each["line"] or 0))
        for each in document["shared"]["frames"]
    ]
    profiles = [profile for profile in document["profiles"] if profile["samples"]]
    counted: Counter[tuple[str, ...]] = Counter()
    for profile in profiles:
        thread = (_thread(profile["name"]),) if len(profiles) > 1 else ()
        samples: list[list[int]] = profile["samples"]
        counted.update((*thread, *(frames[number] for number in sample)) for sample in samples if sample)
    return counted


def processes_of(document: dict[str, Any]) -> set[int]:
    """The numbers of the processes in a speedscope document; py-spy names them where it looked at several."""
    found = (_PROCESS.match(str(profile["name"])) for profile in document["profiles"])
    return {int(match["pid"]) for match in found if match is not None}


def _thread(name: str) -> str:
    return " ".join(name.replace('""', "").replace('"', "").split())


def _failure(process: Process, said: str) -> AnalysisError:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if any(mark in said.lower() for mark in _DENIED):
        return refused(process.pid, "py-spy")
    if not Path(f"/proc/{process.pid}").exists():
        return AnalysisError(f"process {process.pid} ended before it was looked at")
    if "python version" in said.lower():
        return AnalysisError(f"process {process.pid} is no Python that py-spy knows: {process.command}")
    reason = next((line for line in lines if line.startswith("Error")), lines[0] if lines else "it said nothing")
    return AnalysisError(f"py-spy cannot look into process {process.pid}: {reason}")
