"""`infersight profile model`: which operators a model spends its time in."""

import tempfile
from dataclasses import replace
from pathlib import Path

import click

from infersight_analysis import options
from infersight_analysis.profiles import model, records
from infersight_analysis.profiles.processes import Process
from infersight_analysis.verbs.profile.keeping import keep


@click.command(name="model")
@click.argument("called", metavar="MODULE:CALLABLE")
@click.option("--steps", type=click.IntRange(min=1), default=10, show_default=True, help="Calls that are looked at.")
@click.option("--warmup", type=click.IntRange(min=0), default=3, show_default=True, help="Calls before these.")
@options.STORE
@options.FORMAT
def model_command(*, called: str, steps: int, warmup: int, store: Path, form: str) -> int:
    """Which operators a model spends its time in, on the CPU and on a device, by PyTorch's profiler.

    MODULE:CALLABLE is a function without arguments, or anything that can be called so, that runs the model once.
    Modules of the working directory count. What it prints goes to stderr.

    \b
    infersight profile model app:predict_once
    infersight profile model benchmarks.forward:run --steps 50
    """  # noqa: D301 - click's mark for lines that stay lines
    records.require(store)
    function = model.called(called)
    process = replace(Process.of_ourselves(), command=called)
    with tempfile.TemporaryDirectory(prefix="infersight-") as place:
        recorded = model.record(function, Path(place), steps=steps, warmup=warmup)
        return keep(store, process, recorded, form)
