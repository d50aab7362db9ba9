"""`infersight profile cpu`: what the code of a process does."""

import tempfile
from pathlib import Path

import click

from infersight_analysis import options
from infersight_analysis.profiles import cpu, records
from infersight_analysis.profiles.processes import Process
from infersight_analysis.times import SECOND_NS, parse_duration
from infersight_analysis.verbs.profile.keeping import announce, keep


@click.command(name="cpu")
@click.option("--pid", type=click.IntRange(min=1), required=True, metavar="PID", help="Number of a Python process.")
@click.option("--duration", metavar="DURATION", default="30s", show_default=True, help="How long, as in 10s or 2m.")
@click.option("--rate", type=click.IntRange(1, 1000), default=100, show_default=True, help="Looks a second.")
@click.option("--native", is_flag=True, help="Also the frames of native extensions.")
@click.option("--subprocesses", is_flag=True, help="Also the processes that it started, such as a server's workers.")
@options.STORE
@options.FORMAT
def cpu_command(*, pid: int, duration: str, rate: int, native: bool, subprocesses: bool, store: Path, form: str) -> int:
    """What the code of a process does, sampled from outside by py-spy; the process is not changed.

    Its threads are looked at while they run, not while they wait. Ctrl-C ends it early and keeps what was seen. The
    profile is kept in the store, and found again by `infersight profile list`.

    Exit code 3 when nothing ran.

    \b
    infersight profile cpu --pid 4711 --duration 30s
    infersight profile cpu --pid 4711 --native --subprocesses
    """  # noqa: D301 - click's mark for lines that stay lines
    records.require(store)
    seconds = parse_duration(duration) / SECOND_NS
    process = Process.of(pid)
    announce(f"looking at process {pid} for {duration}; Ctrl-C ends it early and keeps what was seen")
    with tempfile.TemporaryDirectory(prefix="infersight-") as place:
        recorded = cpu.record(
            process, Path(place), duration_s=seconds, rate=rate, native=native, subprocesses=subprocesses
        )
        return keep(store, process, recorded, form)
