"""Every query of some requests, and what each of them had its request wait for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.population import ERROR, Population
from infersight_analysis.cohorts.trees import Part, Table
from infersight_analysis.forest import NONE, Flags, Rows
from infersight_analysis.queries.statements import Codes, Statements


@dataclass(frozen=True)
class Calls:
    """Queries; one element a query.

    Args:
        at: number of its span in the population.
        request: number of its request.
        statement: number of its statement.
        parent: number of the span that made it, -1 where that is not known.
        duration_ns: how long it took.
        waited_ns: how much of that, with everything below it, lies on the critical path of its request.
        failed: whether it failed.
    """

    at: Rows
    request: Codes
    statement: Codes
    parent: Rows
    duration_ns: Rows
    waited_ns: Rows
    failed: Flags

    @classmethod
    def of(cls, population: Population, table: Table, statements: Statements) -> "Calls":
        """Those of all requests.

        Args:
            population: the requests.
            table: its spans.
            statements: which statement each of them is.
        """
        parts = [columns for part in table.parts(population) for columns in _of_part(part, population, statements)]
        empty: list[npt.NDArray[Any]] = [np.zeros(0, np.int64)] * 6 + [np.zeros(0, np.bool_)]
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)) if parts else empty)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.at)

    def where(self, chosen: Flags | Rows) -> "Calls":
        """Some of them."""
        return Calls(
            at=self.at[chosen],
            request=self.request[chosen],
            statement=self.statement[chosen],
            parent=self.parent[chosen],
            duration_ns=self.duration_ns[chosen],
            waited_ns=self.waited_ns[chosen],
            failed=self.failed[chosen],
        )


def _of_part(part: Part, population: Population, statements: Statements) -> Iterator[tuple[npt.NDArray[Any], ...]]:
    statement = statements.of_span[part.at]
    owner = _owners(part, (statement >= 0) & part.is_below)
    rows = np.flatnonzero(owner == np.arange(len(owner)))
    if not len(rows):
        return
    owned = np.flatnonzero(owner != NONE)
    # Whole numbers below 2**53 are exact in floating point.
    waited = np.bincount(owner[owned], part.own_ns[owned], len(owner)).astype(np.int64)
    above = part.forest.parent[rows]
    yield (
        part.at[rows],
        part.request[rows],
        statement[rows],
        np.where(above == NONE, NONE, part.at[above]),
        part.forest.end_ns[rows] - part.forest.start_ns[rows],
        waited[rows],
        (population.marks[part.at[rows]] & ERROR) > 0,
    )


def _owners(part: Part, is_query: Flags) -> Rows:
    """The outermost query at or above each span: what a driver does for a library is that library's query."""
    owner = np.full(len(is_query), NONE, np.int64)
    for depth, level in enumerate(part.forest.levels):
        own = np.where(is_query[level], level, NONE)
        above = owner[part.forest.parent[level]] if depth else NONE
        owner[level] = np.where(above != NONE, above, own)
    return owner
