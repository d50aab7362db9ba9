# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# (duckdb and pyarrow publish no types)
"""The requests that one version served, as arrays: read from a store, or made from a reader's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import duckdb
import numpy as np
import numpy.typing as npt

from infersight_analysis.reading import query
from infersight_analysis.releases.times import Side
from infersight_analysis.times import SECOND_NS

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]

_AROUND_NS: Final = 300 * SECOND_NS
"""How far from a request the other spans of its trace may begin."""


@dataclass(frozen=True)
class Requests:
    """Requests of one version; an element of the arrays is a request.

    Args:
        durations_ns: how long each took, nanoseconds.
        failed: which failed.
        succeeded: which neither failed nor were refused.
        others_failed: in whose trace another service failed.
        routes: the names of routes.
        route: which of `routes` each request asked for.
        weights: how many requests each stands for.
        times_ns: when each began, nanoseconds since the epoch.
    """

    durations_ns: Numbers
    failed: Flags
    succeeded: Flags
    others_failed: Flags
    routes: Sequence[str]
    route: Codes
    weights: Numbers
    times_ns: Codes

    @classmethod
    def of(
        cls,
        durations_ns: npt.ArrayLike,
        *,
        failed: npt.ArrayLike | None = None,
        succeeded: npt.ArrayLike | None = None,
        others_failed: npt.ArrayLike | None = None,
        routes: Sequence[str] | None = None,
        weights: npt.ArrayLike | None = None,
        times_ns: npt.ArrayLike | None = None,
    ) -> Self:
        """Of a reader's own arrays or columns, all of one length.

        Args:
            durations_ns: how long each request took, nanoseconds.
            failed: which failed; none by default.
            succeeded: which succeeded; by default those that did not fail.
            others_failed: in whose trace another service failed; none by default.
            routes: what each asked for; all for the same by default.
            weights: how many requests each stands for; itself by default.
            times_ns: when each began, nanoseconds since the epoch; unknown by default.

        Raises:
            ValueError: the arrays are not of one length.
        """
        durations = np.asarray(durations_ns, np.float64)
        size = len(durations)
        failures = np.zeros(size, np.bool_) if failed is None else np.asarray(failed, np.bool_)
        names, codes = np.unique(np.asarray([""] * size if routes is None else routes, np.str_), return_inverse=True)
        made = cls(
            durations_ns=durations,
            failed=failures,
            succeeded=~failures if succeeded is None else np.asarray(succeeded, np.bool_),
            others_failed=np.zeros(size, np.bool_) if others_failed is None else np.asarray(others_failed, np.bool_),
            routes=[str(name) for name in names],
            route=codes.astype(np.int64).reshape(-1),
            weights=np.ones(size) if weights is None else np.asarray(weights, np.float64),
            times_ns=np.zeros(size, np.int64) if times_ns is None else np.asarray(times_ns, np.int64),
        )
        if any(len(column) != size for column in made.columns):
            raise ValueError("the columns of requests are not of one length")
        return made

    @property
    def columns(self) -> tuple[npt.NDArray[Any], ...]:
        """The arrays, an element of each a request."""
        facts = (self.durations_ns, self.failed, self.succeeded, self.others_failed)
        return (*facts, self.route, self.weights, self.times_ns)

    def __len__(self) -> int:
        """How many were recorded."""
        return len(self.durations_ns)

    @property
    def count(self) -> float:
        """How many requests those that were recorded stand for."""
        return float(self.weights.sum())

    @property
    def by_route(self) -> dict[str, float]:
        """How many requests each route had."""
        counts = np.bincount(self.route, self.weights, len(self.routes))
        return {name: float(count) for name, count in zip(self.routes, counts, strict=True) if count}

    def where(self, kept: Flags) -> "Requests":
        """Those of them that are kept."""
        durations, failed, succeeded, others, route, weights, times = (column[kept] for column in self.columns)
        return Requests(durations, failed, succeeded, others, self.routes, route, weights, times)

    def of_routes(self, names: set[str]) -> "Requests":
        """Those of some routes."""
        kept = np.array([name in names for name in self.routes], np.bool_)
        return self.where(kept[self.route] if len(self) else np.zeros(0, np.bool_))


def read_requests(connection: duckdb.DuckDBPyConnection, service: str, side: Side) -> Requests:
    """The requests that a version of a service served.

    Args:
        connection: from `connect`.
        service: its name.
        side: which version, and when they began.
    """
    values = {**side.parameters(service), "around_ns": _AROUND_NS}
    table: Any = connection.sql(query("releases/requests"), params=values).to_arrow_table()
    routes: Any = table.column("route").combine_chunks().dictionary_encode()
    return Requests(
        durations_ns=_column(table, "duration_ns"),
        failed=_column(table, "failed").astype(np.bool_),
        succeeded=_column(table, "succeeded").astype(np.bool_),
        others_failed=_column(table, "others_failed").astype(np.bool_),
        routes=routes.dictionary.to_pylist(),
        route=np.from_dlpack(routes.indices).astype(np.int64),
        weights=_column(table, "weight"),
        times_ns=_column(table, "start_time_ns"),
    )


def _column(table: Any, name: str) -> npt.NDArray[Any]:
    return np.from_dlpack(table.column(name).combine_chunks())  # without pandas, which `to_numpy` loads
