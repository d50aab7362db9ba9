"""The processor `filter`: leaves out the rows for which a SQL predicate is true."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.component import Batch, Surroundings
from infersight_collector.processors.exemplar_points import POINT_COLUMNS, points_of
from infersight_collector.processors.failures import Failures
from infersight_collector.processors.sql import Database, Output

_TABLES: Final = ("spans", "logs", "metrics", "exemplars")
_BOOLEAN: Final = ("BOOLEAN", '"NULL"')


@dataclass
class FilterProcessor:
    """Configuration of `filter`: a SQL predicate for each table, of which the rows that it is true for are dropped.

    Rows for which it is false, NULL or cannot be computed are kept. Exemplars go with their data points where the
    predicate of `metrics` only asks for what they know.

    Attributes:
        spans: predicate over the columns of the view `spans`.
        logs: the same for `logs`.
        metrics: the same for `metrics`.
        exemplars: the same for `exemplars`.
    """

    spans: str = ""
    logs: str = ""
    metrics: str = ""
    exemplars: str = ""
    _database: Database = field(init=False, repr=False, compare=False)
    _predicates: dict[str, Output] = field(init=False, repr=False, compare=False)
    _failures: Failures = field(init=False, repr=False, compare=False, default_factory=Failures)

    def __post_init__(self) -> None:
        self._database = Database()
        self._predicates = {table: self._predicate(table) for table in _TABLES if getattr(self, table)}
        if not self._predicates:
            raise ValueError(
                "nothing is filtered: write a predicate, as in spans: \"attributes['http.route'] = '/health'\""
            )

    def start(self, surroundings: Surroundings) -> None:
        """Learns where to count what fails."""
        self._failures.start(surroundings)

    def process(self, batch: Batch) -> Batch:
        """The batch without the rows that match."""
        kept = {table: self._kept(table, rows) for table, rows in batch.tables.items()}
        points = self._predicates.get("metrics")
        if points and "exemplars" in kept and points.expression.columns <= POINT_COLUMNS:
            exemplars = kept["exemplars"]
            kept["exemplars"] = self._without("metrics", points, exemplars, points_of(exemplars))
        return batch.replaced(kept)

    def _predicate(self, table: str) -> Output:
        text = getattr(self, table)
        try:
            expression = self._database.check(table, text)
        except ValueError as error:
            raise ValueError(f"{table}: {error}") from error
        if expression.kind not in _BOOLEAN:
            raise ValueError(f"{table}: a predicate is true or false, and this gives {expression.kind}: {text}")
        return Output(expression, f"({text}\n) is true")

    def _kept(self, table: str, rows: pa.Table) -> pa.Table:
        predicate = self._predicates.get(table)
        return rows if predicate is None else self._without(table, predicate, rows, rows)

    def _without(self, table: str, predicate: Output, rows: pa.Table, asked: pa.Table) -> pa.Table:
        """Rows of which those are left out for which a predicate is true of another table's row in the same place."""
        if not rows.num_rows:
            return rows
        (matches,) = self._database.evaluate(table, [predicate], asked)
        if matches.error:
            self._failures.add(table, matches.error, "which are kept")
        if matches.values is None or not pc.any(matches.values).as_py():
            return rows
        return rows.filter(pc.invert(pc.fill_null(matches.values, False)))
