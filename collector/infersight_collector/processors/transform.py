"""The processor `transform`: assigns columns and attributes by SQL expressions."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from infersight_collector.component import Batch, Surroundings
from infersight_collector.processors.assignment import Assignment
from infersight_collector.processors.exemplar_points import POINT_COLUMNS, points_of, with_points
from infersight_collector.processors.failures import Failures
from infersight_collector.processors.sql import Database, Result

_TABLES: Final = ("spans", "logs", "metrics", "exemplars")


@dataclass
class TransformProcessor:
    """Configuration of `transform`: for each table, what is assigned to a column or an attribute.

    All expressions see the rows as they came. A row for which one cannot be computed keeps what it has.

    Attributes:
        spans: SQL expressions by target: a column of the view, or an attribute as in `attributes['tenant']`.
        logs: the same for `logs`.
        metrics: the same for `metrics`; exemplars follow where an expression only asks for what they know.
        exemplars: the same for `exemplars`.
    """

    spans: dict[str, str] = field(default_factory=dict[str, str])
    logs: dict[str, str] = field(default_factory=dict[str, str])
    metrics: dict[str, str] = field(default_factory=dict[str, str])
    exemplars: dict[str, str] = field(default_factory=dict[str, str])
    _database: Database = field(init=False, repr=False, compare=False)
    _assignments: dict[str, list[Assignment]] = field(init=False, repr=False, compare=False)
    _failures: Failures = field(init=False, repr=False, compare=False, default_factory=Failures)

    def __post_init__(self) -> None:
        self._database = Database()
        self._assignments = {table: self._read(table) for table in _TABLES if getattr(self, table)}
        if not self._assignments:
            raise ValueError("nothing is assigned: write an expression, as in spans: {name: lower(name)}")

    def start(self, surroundings: Surroundings) -> None:
        """Learns where to count what fails."""
        self._failures.start(surroundings)

    def process(self, batch: Batch) -> Batch:
        """The batch with the new values."""
        made = {
            table: self._assigned(table, self._assignments.get(table, ()), rows) for table, rows in batch.tables.items()
        }
        followed = [part for part in self._assignments.get("metrics", ()) if part.columns <= POINT_COLUMNS]
        if "exemplars" in made and followed:
            points = points_of(made["exemplars"])
            changed = self._assigned("metrics", followed, points)
            if changed is not points:
                made["exemplars"] = with_points(made["exemplars"], changed)
        return batch.replaced(made)

    def _read(self, table: str) -> list[Assignment]:
        found: list[Assignment] = []
        for target, text in getattr(self, table).items():
            try:
                found += Assignment.read(self._database, table, target, text)
            except ValueError as error:
                raise ValueError(f"{table}: {target}: {error}") from error
        return found

    def _assigned(self, table: str, assignments: Sequence[Assignment], rows: pa.Table) -> pa.Table:
        if not assignments or not rows.num_rows:
            return rows
        results = self._database.evaluate(table, [part.output for part in assignments], rows)
        for part, computed in zip(assignments, results, strict=True):
            fits = computed.values is None or part.takes(computed.values.type)
            result = computed if fits else Result(None, error="Type")
            if result.error:
                self._failures.add(f"{table}: {part.target}", result.error, "which keep what they have")
            rows = part.apply(rows, result)
        return rows
