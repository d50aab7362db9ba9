"""The figures of queries: by statement, by call, by place, by route."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.columns import codes_of
from infersight_analysis.cohorts.population import Population
from infersight_analysis.cohorts.subjects import read_operations
from infersight_analysis.cohorts.texts import trace_ids
from infersight_analysis.cohorts.trees import Table
from infersight_analysis.findings import QueryStatement, RepeatedQuery, RouteQueries, SlowQuery
from infersight_analysis.queries.calls import Calls
from infersight_analysis.queries.statements import Statements
from infersight_analysis.stats.weighted import weighted_quantiles
from infersight_analysis.stored import literals
from infersight_analysis.times import iso_time

ROUTE: Final = "coalesce(attributes['http.route']::varchar, name, '')"

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Found = TypeVar("Found", QueryStatement, RepeatedQuery, RouteQueries)


@dataclass(frozen=True)
class Shown(Generic[Found]):
    """A finding without its examples, and the numbers of the requests that show it, the most telling first."""

    found: Found
    requests: npt.NDArray[Any]


@dataclass(frozen=True)
class Figures:
    """The queries of a population, and the figures that are made of them; each with the requests that show it.

    Args:
        population: the requests.
        table: their spans.
        known: the statements.
        calls: the queries.
        weight: how many requests each of them stands for; one element a request.
        route: number of each request's service and route.
        names: service and route by that number.
        of_calls: the weight of each query's request.
    """

    population: Population
    table: Table
    known: Statements
    calls: Calls
    weight: Floats
    route: npt.NDArray[np.int32]
    names: list[tuple[str | None, str]]
    of_calls: Floats

    @classmethod
    def of(cls, population: Population) -> "Figures":
        """Read the queries of some requests."""
        table, statements = Table.of(population), Statements.of(population)
        calls = Calls.of(population, table, statements)
        weights, hashes = population.read("coalesce(sample_weight, 1)::double", f"hash(service_name, {ROUTE})")
        route, distinct = codes_of(hashes[population.top])
        scan = population.scan
        sql = f"select distinct hash(service_name, {ROUTE}), service_name, {ROUTE} from spans where {scan.where}"  # noqa: S608
        known = {row[0]: row[1:] for row in scan.connection.execute(sql).fetchall()}
        weight = weights[population.top]
        names = [known[each] for each in distinct.tolist()]
        return cls(population, table, statements, calls, weight, route, names, weight[calls.request])

    def share(self, waited_ns: float) -> float:
        """Part of the time of all requests."""
        return waited_ns / (float(self.weight @ self.population.requests.duration_ns) or 1.0)

    def statements(self) -> Iterator[Shown[QueryStatement]]:
        """Each statement, in no order."""
        for number, rows in _groups(self.calls.statement):
            calls, weight = self.calls.where(rows), self.of_calls[rows]
            statement = self.known.known[number]
            durations = calls.duration_ns.astype(np.float64)
            p50, p95, p99 = weighted_quantiles(durations, weight, (0.5, 0.95, 0.99))
            requests = float(self.weight[np.unique(calls.request)].sum())
            waited = float(weight @ calls.waited_ns)
            yield Shown(
                QueryStatement(
                    statement=statement.text,
                    summary=statement.summary,
                    system=statement.system,
                    service=statement.service,
                    calls=float(weight.sum()),
                    recorded=len(calls),
                    failed=float(weight[calls.failed].sum()),
                    requests=requests,
                    per_request=float(weight.sum()) / requests,
                    mean_ns=float(weight @ durations / weight.sum()),
                    p50_ns=p50,
                    p95_ns=p95,
                    p99_ns=p99,
                    max_ns=int(durations.max()),
                    waited_ns=waited,
                    share=self.share(waited),
                    examples=[],
                ),
                calls.request[np.argsort(-calls.duration_ns, kind="stable")],
            )

    def slow(self, limit: int) -> Iterator[SlowQuery]:
        """The longest calls."""
        calls = self.calls.where(np.argsort(-self.calls.duration_ns, kind="stable")[:limit])
        ids = self._span_ids(calls.at)
        for place, (at, request) in enumerate(zip(calls.at.tolist(), calls.request.tolist(), strict=True)):
            trace_id, span_id, start_ns = ids[int(self.table.span[at])]
            statement = self.known.known[int(calls.statement[place])]
            yield SlowQuery(
                statement=statement.text,
                service=statement.service,
                route=self.names[self.route[request]][1],
                duration_ns=int(calls.duration_ns[place]),
                waited_ns=int(calls.waited_ns[place]),
                failed=bool(calls.failed[place]),
                start_time=iso_time(start_ns),
                trace_id=trace_id,
                span_id=span_id,
            )

    def repeated(self, least: int) -> Iterator[Shown[RepeatedQuery]]:
        """Statements that requests of a route make so often from one place, in no order."""
        calls = self.calls
        keys = np.stack([calls.request.astype(np.int64), calls.parent, calls.statement.astype(np.int64)])
        groups, group, times = np.unique(keys, axis=1, return_inverse=True, return_counts=True)
        often = np.flatnonzero(times >= least)
        if not len(often):
            return
        waited = np.bincount(group.reshape(-1), calls.waited_ns, len(times))[often]
        request, parent, statement = groups[:, often]
        operation = np.where(parent >= 0, self.table.operation[parent], -1)
        names = read_operations(self.population.scan, self.table.operations)
        of_routes = np.bincount(self.route, self.weight, len(self.names))
        place = np.stack([self.route[request].astype(np.int64), operation.astype(np.int64), statement])
        kinds, kind = np.unique(place, axis=1, return_inverse=True)
        for number, rows in _groups(kind.reshape(-1)):
            of_route, of_parent, of_statement = (int(part) for part in kinds[:, number])
            counts, weight = times[often[rows]], self.weight[request[rows]]
            making = float(self.weight[np.unique(request[rows])].sum())
            yield Shown(
                RepeatedQuery(
                    statement=self.known.known[of_statement].text,
                    service=self.known.known[of_statement].service,
                    route=self.names[of_route][1],
                    parent=(names[of_parent][1] or "") if of_parent >= 0 else "",
                    requests=making,
                    share=making / float(of_routes[of_route]),
                    median_calls=float(np.median(counts)),
                    most_calls=int(counts.max()),
                    waited_ns=float(weight @ waited[rows]) / making,
                    examples=[],
                ),
                request[rows][np.argsort(-counts, kind="stable")],
            )

    def routes(self) -> Iterator[Shown[RouteQueries]]:
        """Each route whose requests make queries, in no order."""
        count = len(self.weight)
        times = np.bincount(self.calls.request, minlength=count)
        pairs = np.unique(np.stack([self.calls.request, self.calls.statement]), axis=1)
        different = np.bincount(pairs[0], minlength=count)
        waited = np.bincount(self.calls.request, self.calls.waited_ns, count)
        durations = self.population.requests.duration_ns
        for number, rows in _groups(self.route):
            if not times[rows].any():
                continue
            weight = self.weight[rows]
            p50, p95 = weighted_quantiles(times[rows].astype(np.float64), weight, (0.5, 0.95))
            service, route = self.names[number]
            yield Shown(
                RouteQueries(
                    service=service,
                    route=route,
                    requests=float(weight.sum()),
                    mean_calls=float(weight @ times[rows] / weight.sum()),
                    p50_calls=p50,
                    p95_calls=p95,
                    most_calls=int(times[rows].max()),
                    statements=float(np.median(different[rows])),
                    waited_ns=float(weight @ waited[rows] / weight.sum()),
                    share=float(weight @ waited[rows]) / (float(weight @ durations[rows]) or 1.0),
                    examples=[],
                ),
                rows[np.argsort(-times[rows], kind="stable")],
            )

    def _span_ids(self, at: Rows) -> dict[int, tuple[str, str, int]]:
        """Trace, id and start of spans, by the hash in the table."""
        trace = self.population.requests.trace[self.population.request[at]]
        spans = ", ".join(map(str, (self.table.span[at] ^ trace).tolist())) or "null"
        ids = trace_ids(self.population, self.population.request[at].tolist()).values()
        scan = self.population.scan
        sql = (
            f"select hash(trace_id), hash(span_id), trace_id, span_id, start_time_ns from spans "  # noqa: S608
            f"where {scan.where} and trace_id in ({literals(ids)}) and hash(span_id) in ({spans})"
        )
        return {row[0] ^ row[1]: row[2:] for row in scan.connection.execute(sql).fetchall()}


def _groups(codes: npt.NDArray[Any]) -> Iterator[tuple[int, Rows]]:
    """Each code with its rows, in their order."""
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(codes[order]) != 0)) if len(order) else order
    for rows in np.split(order, starts[1:]) if len(order) else ():
        yield int(codes[rows[0]]), rows
