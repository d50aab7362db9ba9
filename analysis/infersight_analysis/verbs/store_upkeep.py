"""`infersight store compact`, `retain`, `verify` and `migrate`: the store's files put in order and checked."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from infersight_analysis import options
from infersight_analysis.errors import AnalysisError
from infersight_analysis.report.output import print_json
from infersight_analysis.report.upkeep import (
    Compacted,
    Retained,
    Verified,
    print_compacted,
    print_retained,
    print_verified,
)
from infersight_analysis.times import SECOND_NS, parse_duration
from infersight_collector.store import directory, upgrade
from infersight_collector.store.maintenance import Maintenance, Report, alone
from infersight_collector.store.migration import migrate
from infersight_collector.store.retention import Retention
from infersight_collector.store.size import Size
from infersight_collector.store.verify import Finding, Verification

DAMAGED: Final = 1
"""Exit code of a verification that found damage."""

_WAIT_S: Final = 300.0
_GRACE: Final = click.option(
    "--grace",
    metavar="DURATION",
    default="1h",
    show_default=True,
    help="Delete files that no table has any more for so long. A query that still reads them has to be asked again.",
)


@click.command(name="compact")
@options.STORE
@options.FORMAT
@_GRACE
def compact_command(store: Path, form: str, grace: str) -> None:
    """Merge the small files of every hour into few large ones, sorted for look-ups.

    A collector does it by itself, ten minutes after an hour's last row; this is for a store that was just imported, or
    is about to be copied. Collectors and queries go on meanwhile. Ctrl-C ends it after some files and loses nothing.
    """
    report = Report()
    grace_s = _seconds(grace)
    with _maintaining(store) as maintenance, _progress("merging") as progress:
        task = progress.add_task("")
        for _ in maintenance.merge(report, all_now=True):
            progress.update(task, description=f"{report.merged_files:,} files, {report.merged_rows:,} rows")
        maintenance.clean(report, grace_s)
    done = Compacted.of(store, report)
    print_json(done) if form == "json" else print_compacted(done)


@click.command(name="retain")
@options.STORE
@options.FORMAT
@click.option("--max-age", metavar="DURATION", help="Drop hours that ended, and got their last row, longer ago.")
@click.option("--max-size", metavar="SIZE", help="Drop the oldest hours until the tables have this size: 50GB, 30%.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@_GRACE
def retain_command(
    store: Path, form: str, max_age: str | None, max_size: str | None, *, dry_run: bool, grace: str
) -> None:
    """Drop the oldest hours of all tables, by age, by size, or both.

    A collector does it by itself, by the rules of its configuration. Rows that are pinned stay. Of this hour and the
    one before nothing goes by size. The files are deleted from the disk after the time of --grace, by a collector or
    by the next command of this kind; with --grace 1s room is made at once.
    """
    rules = _rules(store, max_age, max_size)
    report, grace_s = Report(), _seconds(grace)
    if dry_run:
        planned = Maintenance(_checked(store)).plan(rules, report)
        done = Retained.planned(store, planned, report)
    else:
        with _maintaining(store) as maintenance:
            maintenance.retain(rules, report)
            maintenance.clean(report, grace_s)
        done = Retained.of(store, report)
    print_json(done) if form == "json" else print_retained(done)


@click.command(name="verify")
@options.STORE
@options.FORMAT
def verify_command(store: Path, form: str) -> int:
    """Check that every file is as it was written, and the write-ahead log.

    Of each file: its size, the checksums of its pages and its footer, its rows, types, ranges, hour and order; besides
    the tables' logs, what was set aside, and what is left over. Nothing is changed, and a collector may run meanwhile.
    Exits with 1 where something is damaged.
    """
    checks = Verification(store)
    files = size = 0
    findings: list[Finding] = []
    with _progress("checking") as progress:
        task = progress.add_task("", total=checks.total)
        for checked in checks.run():
            files, size = files + 1, size + checked.size
            findings += checked.findings
            progress.update(task, completed=size, description=f"{files:,} files")
    done = Verified.of(store, files, size, findings)
    print_json(done) if form == "json" else print_verified(done)
    return DAMAGED if done.damage else 0


@click.command(name="migrate")
@options.STORE
def migrate_command(store: Path) -> None:
    """Bring a store of an earlier release to the present layout, at once.

    A collector does it by itself in the background, and queries work all the time; this is for who would rather wait.
    Ctrl-C loses nothing, and the next call goes on from there.
    """
    problems: list[str] = []
    with _progress("upgrading") as progress:
        task = progress.add_task("", total=None)

        def show(step: Any) -> None:
            problems.extend(step.problems)
            progress.update(task, completed=step.done, total=step.files, description=f"{step.done:,} files")

        changed = migrate(store, show)
    for problem in problems:
        click.echo(problem, err=True)
    click.echo("the store has the present layout" if changed else "the store had the present layout already")


def _checked(store: Path) -> Path:
    directory.check(store)
    return store


@contextmanager
def _maintaining(store: Path) -> Generator[Maintenance]:
    """The maintenance of a store, as the only one; waits until a collector has finished a round of its own."""
    upgrade.begin(store)  # so that no file is merged while an upgrade lists them
    with alone(store, _WAIT_S) as is_alone:
        if not is_alone:
            raise AnalysisError(f"a collector has merged files of {store} for {_WAIT_S:.0f} s: try again later")
        yield Maintenance(store)


@contextmanager
def _progress(doing: str) -> Generator[Progress]:
    """A line on stderr that says how far it is; nothing where that is no terminal."""
    columns = (SpinnerColumn(), TextColumn(doing), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield progress


def _rules(store: Path, max_age: str | None, max_size: str | None) -> Retention:
    if max_age is None and max_size is None:
        raise AnalysisError("say what may stay: --max-age 30d, --max-size 50GB, or both")
    try:
        size = None if max_size is None else Size.parse(max_size).of(shutil.disk_usage(_checked(store)).total)
    except ValueError as error:
        raise AnalysisError(str(error)) from error
    return Retention(None if max_age is None else _seconds(max_age), size)


def _seconds(duration: str) -> float:
    return parse_duration(duration) / SECOND_NS
