"""The process that is profiled: what it is called, where it runs, and whether it may be looked into."""

import os
import shutil
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from infersight_analysis.errors import AnalysisError

MISSING: Final = "profiling needs the 'profile' extra: pip install 'infersight[profile]'"


@dataclass(frozen=True)
class Process:
    """A running process.

    Args:
        pid: its number, as it is seen from here.
        own_pid: its number as it sees it, in a container of its own another one; its telemetry has this one.
        host: name of the host that it sees; None where that cannot be told.
        command: its command line.
    """

    pid: int
    own_pid: int
    host: str | None
    command: str

    @classmethod
    def of(cls, pid: int) -> Self:
        """The process of a number.

        Raises:
            AnalysisError: there is none.
        """
        about = Path("/proc") / str(pid)
        if not Path("/proc/self").exists():  # not Linux: what is known of ourselves is all there is
            return cls(pid, pid, socket.gethostname(), "")
        try:
            command = (about / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            status = (about / "status").read_text(errors="replace")
        except OSError as error:
            raise AnalysisError(f"there is no process {pid}: `pgrep -af python` lists those of Python") from error
        numbers = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [str(pid)])
        return cls(pid, int(numbers[-1]), _host(about), command)

    @classmethod
    def of_ourselves(cls) -> Self:
        """The process that asks."""
        return cls.of(os.getpid())


def own_numbers(pids: Iterable[int]) -> list[int]:
    """The numbers of processes as they see them; of one that has ended, the one that it had from here."""
    found: list[int] = []
    for pid in pids:
        try:
            found.append(Process.of(pid).own_pid)
        except AnalysisError:
            found.append(pid)
    return found


def _host(about: Path) -> str | None:
    try:
        same = (about / "ns/uts").readlink() == Path("/proc/self/ns/uts").readlink()
    except OSError:
        return None
    return socket.gethostname() if same else None


def program(name: str) -> str:
    """The path of a profiler's command.

    Raises:
        AnalysisError: it is not installed.
    """
    beside = shutil.which(name, path=str(Path(sys.executable).parent))
    found = beside or shutil.which(name)
    if found is None:
        raise AnalysisError(MISSING)
    return found


def refused(pid: int, tool: str) -> AnalysisError:
    """What to say where the system does not let a process be looked into."""
    return AnalysisError(
        f"the system does not let {tool} look into process {pid}: run infersight as that process's user with "
        "CAP_SYS_PTRACE, or by `sudo -E $(which infersight) ...`; in a container add `--cap-add SYS_PTRACE`; on a "
        "machine of your own `sysctl kernel.yama.ptrace_scope=0`"
    )
