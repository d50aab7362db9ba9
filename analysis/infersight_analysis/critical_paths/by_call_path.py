"""Where the time of requests went, by call path: sums and quantiles of their critical paths."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.evidence import requests_sql
from infersight_analysis.cohorts.population import Population
from infersight_analysis.cohorts.question import Question
from infersight_analysis.cohorts.subjects import Operation, read_operations
from infersight_analysis.cohorts.texts import trace_ids
from infersight_analysis.cohorts.trees import Paths, Table
from infersight_analysis.critical_paths.what_if import Change, what_if
from infersight_analysis.findings import CriticalPaths, Evidence, PathTime
from infersight_analysis.forest import Rows
from infersight_analysis.options import Window

_EXAMPLES: Final = 5


def critical_paths(
    connection: duckdb.DuckDBPyConnection,
    *,
    service: str | None = None,
    route: str | None = None,
    model: str | None = None,
    window: Window = Window(),  # noqa: B008 - immutable
    changes: Sequence[Change] = (),
) -> CriticalPaths:
    """The critical-path time of requests, summed by call path; the times sum to the durations of the requests.

    A request is a trace's first span that serves someone or has no parent; with `service`, of that service.

    Args:
        connection: from `connect`.
        service: only requests of this service.
        route: only this route (`http.route`, or the span's name).
        model: only requests in which this model was called.
        window: when the requests began.
        changes: what would be otherwise, see `what_if`.

    Raises:
        AnalysisError: a change names no operation.
    """
    question = Question("true", service=service, route=route, model=model, window=window)
    population = Population.of(connection, question)
    count = len(population.requests)
    evidence = Evidence([], [requests_sql(question)])
    if not count:
        return CriticalPaths(0, 0, 0.0, 0.0, 0.0, [], [], evidence)
    table = Table.of(population)
    times = _Times(Paths([np.arange(count)], count), count)
    for part in table.parts(population):
        times.add(part.request, times.paths.add(part), part.own_ns)
    operations = read_operations(population.scan, table.operations)
    durations = population.requests.duration_ns
    median, p99 = np.quantile(durations, [0.5, 0.99]).tolist()
    slowest = np.argsort(-durations, kind="stable")[:_EXAMPLES].tolist()
    ids = trace_ids(population, slowest)
    return CriticalPaths(
        requests=count,
        total_ns=int(durations.sum()),
        mean_ns=float(durations.mean()),
        median_ns=median,
        p99_ns=p99,
        paths=times.in_order(operations),
        what_if=what_if(population, operations, changes, table),
        evidence=Evidence([ids[request] for request in slowest], evidence.sql),
    )


@dataclass
class _Times:
    """What each request spent on each path that it has.

    Args:
        paths: the paths, and their sums over all requests.
        requests: how many there are.
        pieces: path, nanoseconds and spans of each pair of request and path, a part of the trees after another.
    """

    paths: Paths
    requests: int
    pieces: list[tuple[Rows, Rows, Rows]] = field(default_factory=list[tuple[Rows, Rows, Rows]])

    def add(self, request: npt.NDArray[np.int32], path: Rows, own_ns: Rows) -> None:
        """Take the spans of some trees; all of a request come at once."""
        rows = np.flatnonzero(path >= 0)
        keys = path[rows] * self.requests + request[rows]
        order = np.argsort(keys, kind="stable")
        distinct, first, spans = np.unique(keys[order], return_index=True, return_counts=True)
        sums = np.add.reduceat(own_ns[rows[order]], first) if len(first) else first
        self.pieces.append((distinct // self.requests, sums, spans))

    def in_order(self, operations: Sequence[Operation]) -> list[PathTime]:
        """Every path, callers before what they call, and of one caller the most time first."""
        path, own_ns, spans = (np.concatenate(column) for column in zip(*self.pieces, strict=True))
        order = np.argsort(path, kind="stable")
        path, own_ns, spans = path[order], own_ns[order], spans[order]
        bounds = np.searchsorted(path, np.arange(len(self.paths.above) + 1)).tolist()
        self_ns = self.paths.sums[0].tolist()
        whole_ns = sum(self_ns) or 1
        total_ns, numbers = _with_below(self.paths.above, self_ns)
        names: dict[int, list[str]] = {-1: []}
        found: list[PathTime] = []
        for number in numbers:
            service, name, kind = operations[self.paths.operation[number]]
            names[number] = [*names[self.paths.above[number]], name or ""]
            of_path = slice(bounds[number], bounds[number + 1])
            p50, p99 = np.quantile(own_ns[of_path], [0.5, 0.99]).tolist()
            found.append(
                PathTime(
                    path=names[number],
                    service=service,
                    name=name or "",
                    kind=kind or "UNSPECIFIED",
                    depth=len(names[number]) - 1,
                    requests=of_path.stop - of_path.start,
                    calls=int(spans[of_path].sum()),
                    self_ns=self_ns[number],
                    total_ns=total_ns[number],
                    mean_ns=self_ns[number] / self.requests,
                    share=self_ns[number] / whole_ns,
                    p50_ns=p50,
                    p99_ns=p99,
                )
            )
        return found


def _with_below(above: Sequence[int], own_ns: Sequence[int]) -> tuple[list[int], list[int]]:
    """The time of each path with that of the paths below it, and the paths, callers first, of one the most time first.

    Args:
        above: number of the path above each one, -1 without; always a smaller number.
        own_ns: the time of each path by itself.
    """
    total_ns = list(own_ns)
    children: dict[int, list[int]] = {}
    for number in range(len(own_ns) - 1, -1, -1):
        children.setdefault(above[number], []).append(number)
        if above[number] >= 0:
            total_ns[above[number]] += total_ns[number]
    ordered: list[int] = []
    waiting = [-1]
    while waiting:
        number = waiting.pop()
        if number >= 0:
            ordered.append(number)
        waiting += sorted(children.get(number, ()), key=total_ns.__getitem__)
    return total_ns, ordered
