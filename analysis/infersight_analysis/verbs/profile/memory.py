"""`infersight profile memory`: who allocated the memory of a process at its peak."""

import shlex
import tempfile
from pathlib import Path

import click

from infersight_analysis import options
from infersight_analysis.errors import AnalysisError
from infersight_analysis.profiles import memory, records
from infersight_analysis.profiles.processes import Process
from infersight_analysis.times import SECOND_NS, parse_duration
from infersight_analysis.verbs.profile.keeping import announce, keep


@click.command(name="memory", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("program", nargs=-1, type=click.UNPROCESSED)
@click.option("--pid", type=click.IntRange(min=1), metavar="PID", help="Number of a Python process that runs.")
@click.option("--duration", metavar="DURATION", default="30s", show_default=True, help="How long, with --pid.")
@click.option("--native", is_flag=True, help="Also the frames of native extensions.")
@options.STORE
@options.FORMAT
def memory_command(
    *, program: tuple[str, ...], pid: int | None, duration: str, native: bool, store: Path, form: str
) -> int:
    """Who allocated the memory of a process when it had most, told by memray.

    Of a process that runs, from now on, or of a PROGRAM: what would follow `python`. What the program prints goes to
    stderr. Ctrl-C ends it early and keeps what was seen.

    Before Python 3.14 a process can only be joined with gdb or lldb installed; memray must be installed where it runs.
    Exit code 3 when nothing was allocated.

    \b
    infersight profile memory --pid 4711 --duration 1m
    infersight profile memory -- train.py --epochs 1
    infersight profile memory -- -m uvicorn app:app
    """  # noqa: D301 - click's mark for lines that stay lines
    if (pid is None) == (not program):
        raise AnalysisError("give either --pid, or the program to run after --")
    records.require(store)
    with tempfile.TemporaryDirectory(prefix="infersight-") as name:
        place = Path(name)
        if pid is None:
            number, _, recorded = memory.run(program, place, native=native)
            process = Process(number, number, Process.of_ourselves().host, f"python {shlex.join(program)}")
        else:
            process = Process.of(pid)
            seconds = parse_duration(duration) / SECOND_NS
            announce(f"following process {pid} for {duration}; Ctrl-C ends it early and keeps what was seen")
            recorded = memory.attach(process, place, duration_s=seconds, native=native)
        return keep(store, process, recorded, form)
