"""What was done to a store's files, or found in them: for the terminal and as JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table

from infersight_analysis.report.output import console, short_size
from infersight_analysis.times import iso_time
from infersight_collector.store import profiles
from infersight_collector.store.maintenance import Report
from infersight_collector.store.retention import HOUR_MS, Plan
from infersight_collector.store.verify import Finding


@dataclass(frozen=True)
class Compacted:
    """What a compaction did.

    Attributes:
        store: directory of the store.
        merged_files: files that were merged into larger ones.
        merged_rows: their rows; those that were merged twice count twice.
        deleted_files: unused files that were deleted.
        deleted_bytes: their size.
        problems: what could not be done, a line each.
    """

    store: str
    merged_files: int
    merged_rows: int
    deleted_files: int
    deleted_bytes: int
    problems: Sequence[str]

    @classmethod
    def of(cls, store: Path, report: Report) -> Self:
        """What the report of the maintenance says."""
        deleted = (report.deleted_files, report.deleted_bytes)
        return cls(str(store), report.merged_files, report.merged_rows, *deleted, report.problems)


@dataclass(frozen=True)
class DroppedFacts:
    """What was, or would be, dropped of a table: rows, and bytes on disk."""

    table: str
    rows: int
    bytes: int


@dataclass(frozen=True)
class Retained:
    """What a retention dropped.

    Attributes:
        store: directory of the store.
        dry_run: whether it only would be dropped.
        dropped: of each table, and of `profiles`, which have a row each; in a dry run, with the pinned rows that would
            stay.
        from_time: beginning of the oldest hour that would go, ISO 8601; only of a dry run.
        to_time: end of the newest one.
        deleted_files: unused files that were deleted.
        deleted_bytes: their size.
        problems: what could not be done, a line each.
    """

    store: str
    dry_run: bool
    dropped: Sequence[DroppedFacts]
    from_time: str | None = None
    to_time: str | None = None
    deleted_files: int = 0
    deleted_bytes: int = 0
    problems: Sequence[str] = ()

    @classmethod
    def planned(cls, store: Path, plan: Plan, report: Report) -> Self:
        """What a plan would drop."""
        tables = dict.fromkeys(part.table for part in plan.expired)
        dropped = [
            DroppedFacts(
                table,
                sum(part.rows for part in plan.expired if part.table == table),
                sum(part.size for part in plan.expired if part.table == table),
            )
            for table in tables
        ]
        if plan.profiles:
            size = sum(profile.size for profile in plan.profiles)
            dropped.append(DroppedFacts(profiles.DIRECTORY, len(plan.profiles), size))
        hours = [*(part.hour for part in plan.expired), *(profile.hour for profile in plan.profiles)]
        first, last = (_hour(min(hours)), _hour(max(hours) + 1)) if hours else (None, None)
        return cls(str(store), True, dropped, first, last, problems=report.problems)

    @classmethod
    def of(cls, store: Path, report: Report) -> Self:
        """What the report of the maintenance says."""
        dropped = [DroppedFacts(table, gone.rows, gone.size) for table, gone in report.dropped.items()]
        deleted = (report.deleted_files, report.deleted_bytes)
        return cls(str(store), False, dropped, None, None, *deleted, report.problems)


@dataclass(frozen=True)
class FindingFacts:
    """A file that is not as it should be: its path, what is wrong, and the rows that are in doubt, where known."""

    path: str
    problem: str
    rows: int | None

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """The facts of a finding."""
        return cls(str(finding.path), finding.problem, finding.rows)


@dataclass(frozen=True)
class Verified:
    """What a verification found.

    Attributes:
        store: directory of the store.
        files: files that were checked.
        bytes: their size.
        damage: where telemetry is lost or wrong.
        notes: what is only worth knowing.
    """

    store: str
    files: int
    bytes: int
    damage: Sequence[FindingFacts]
    notes: Sequence[FindingFacts]

    @classmethod
    def of(cls, store: Path, files: int, size: int, findings: Sequence[Finding]) -> Self:
        """What the findings say."""
        damage = [FindingFacts.of(finding) for finding in findings if finding.is_damage]
        notes = [FindingFacts.of(finding) for finding in findings if not finding.is_damage]
        return cls(str(store), files, size, damage, notes)


def print_compacted(done: Compacted) -> None:
    """Print what a compaction did."""
    what = (
        f"merged {done.merged_files:,} files ({done.merged_rows:,} rows)" if done.merged_files else "nothing to merge"
    )
    click.echo(f"{what}{_deleted(done.deleted_files, done.deleted_bytes)}")
    _print_problems(done.problems)


def print_retained(done: Retained) -> None:
    """Print what a retention dropped."""
    if done.dropped:
        grid = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
        grid.add_column("would be dropped of" if done.dry_run else "dropped of")
        for name in ("rows", "size"):
            grid.add_column(name, justify="right")
        for facts in done.dropped:
            grid.add_row(facts.table, f"{facts.rows:,}", short_size(facts.bytes))
        console().print(grid)
    if done.from_time is not None and done.to_time is not None:
        click.echo(f"from {done.from_time[:13]}h to {done.to_time[:13]}h UTC; what is pinned stays")
    elif not done.dropped:
        click.echo(f"nothing to drop{_deleted(done.deleted_files, done.deleted_bytes)}")
    else:
        click.echo(f"dropped{_deleted(done.deleted_files, done.deleted_bytes)}")
    _print_problems(done.problems)


def print_verified(done: Verified) -> None:
    """Print what a verification found."""
    for said, findings in (("note", done.notes), ("DAMAGE", done.damage)):
        for finding in findings:
            rows = "" if finding.rows is None else f" ({finding.rows:,} rows)"
            click.echo(f"{said}: {finding.path}: {finding.problem}{rows}")
    verdict = f"{len(done.damage):,} of them damaged" if done.damage else "all sound"
    click.echo(f"{done.files:,} files, {short_size(done.bytes)}: {verdict}")


def _deleted(files: int, size: int) -> str:
    return f"; {short_size(size)} of unused files deleted" if files else ""


def _print_problems(problems: Iterable[str]) -> None:
    for problem in problems:
        click.echo(problem, err=True)


def _hour(hours: int) -> str:
    return iso_time(hours * HOUR_MS * 10**6)
