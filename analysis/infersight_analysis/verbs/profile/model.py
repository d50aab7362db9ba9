"""`infersight profile model`: which operators a model spends its time in."""

import tempfile
from dataclasses import replace
from pathlib import Path

import click

from infersight_analysis import options
from infersight_analysis.errors import AnalysisError
from infersight_analysis.profiles import model, records
from infersight_analysis.profiles.processes import Process
from infersight_analysis.times import SECOND_NS, parse_duration
from infersight_analysis.verbs.profile.keeping import announce, keep


@click.command(name="model")
@click.argument("called", metavar="[MODULE:CALLABLE]", required=False)
@click.option("--steps", type=click.IntRange(min=1), default=10, show_default=True, help="Calls that are looked at.")
@click.option("--warmup", type=click.IntRange(min=0), default=3, show_default=True, help="Calls before these.")
@click.option("--pid", type=click.IntRange(min=1), metavar="PID", help="A process that runs, whose SDK listens.")
@click.option("--duration", metavar="DURATION", default="5s", show_default=True, help="How long, with --pid; up to 1m.")
@options.STORE
@options.FORMAT
def model_command(
    *, called: str | None, steps: int, warmup: int, pid: int | None, duration: str, store: Path, form: str
) -> int:
    """Which operators a model spends its time in, on the CPU and on a device, by PyTorch's profiler.

    MODULE:CALLABLE is a function without arguments, or anything that can be called so, that runs the model once.
    Modules of the working directory count. What it prints goes to stderr. With --pid it is whatever a process runs
    meanwhile, in all of its threads; it must have been started with INFERSIGHT_CONTROL=1.

    Exit code 3 when no operator ran.

    \b
    infersight profile model app:predict_once
    infersight profile model benchmarks.forward:run --steps 50
    infersight profile model --pid 4711 --duration 5s
    """  # noqa: D301 - click's mark for lines that stay lines
    if (pid is None) == (called is None):
        raise AnalysisError("give either MODULE:CALLABLE or --pid")
    records.require(store)
    with tempfile.TemporaryDirectory(prefix="infersight-") as place:
        if pid is not None:
            process = Process.of(pid)
            seconds = parse_duration(duration) / SECOND_NS
            announce(f"process {pid} profiles its models for {duration}")
            return keep(store, process, model.ask(process, Path(place), duration_s=seconds), form)
        function = model.called(called or "")
        process = replace(Process.of_ourselves(), command=called or "")
        return keep(store, process, model.record(function, Path(place), steps=steps, warmup=warmup), form)
