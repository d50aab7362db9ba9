"""What requests ask of databases, and what that costs them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import duckdb

from infersight_analysis.cohorts.population import Population
from infersight_analysis.cohorts.question import Question
from infersight_analysis.cohorts.texts import trace_ids
from infersight_analysis.findings import DatabaseQueries, Evidence, RepeatedQuery
from infersight_analysis.options import Window
from infersight_analysis.queries.figures import Figures, Found, Shown
from infersight_analysis.queries.statements import IS_QUERY

REPEATED: Final = 10
"""How often a request makes a statement from one place, for it to count as made again and again."""

_EXAMPLES: Final = 3
_LOOKED_AT: Final = 60
"""Calls among which the examples, each of another request, are looked for."""

_SQL: Final = (
    "select service_name, stored.query_statement(coalesce(attributes['db.query.text'], attributes['db.statement'], "  # noqa: S608
    "attributes['db.query.summary'], name)) as statement, count(*) as recorded, sum(sample_weight) as calls, "
    "quantile_cont(duration_ns, [0.5, 0.95, 0.99]) as quantiles_ns, max(duration_ns) as max_ns "
    f"from spans where {IS_QUERY} group by all order by sum(duration_ns * sample_weight) desc"
)


def queries(
    connection: duckdb.DuckDBPyConnection,
    *,
    service: str | None = None,
    route: str | None = None,
    window: Window = Window(),  # noqa: B008 - immutable
    limit: int = 20,
    repeated: int = REPEATED,
) -> DatabaseQueries:
    """Each statement's statistics, the slowest calls, those made again and again, and how much each route asks.

    A request is a trace's first span that serves someone or has no parent. A query is a span of the database
    conventions, or the SDK's `query`; one below another is part of that.

    Args:
        connection: from `connect`.
        service: only requests of this service, whoever makes the queries.
        route: only requests of this route (`http.route`, or the span's name).
        window: when the requests began.
        limit: most of each list.
        repeated: how often in one place makes a statement one that is made again and again.
    """
    population = Population.of(connection, Question("true", service=service, route=route, window=window))
    if not len(population.requests):
        return DatabaseQueries(0, 0, 0, repeated, [], [], [], [], Evidence([], []))
    figures = Figures.of(population)
    listed = sorted(figures.statements(), key=lambda each: (-each.found.waited_ns, each.found.statement))[:limit]
    again = sorted(figures.repeated(repeated), key=lambda each: (-_cost(each.found), each.found.statement))[:limit]
    routes = sorted(figures.routes(), key=lambda each: (-each.found.mean_calls, each.found.route))[:limit]
    ids = _trace_ids(population, [*again, *listed, *routes])
    return DatabaseQueries(
        requests=float(figures.weight.sum()),
        calls=float(figures.of_calls.sum()),
        share=figures.share(float(figures.of_calls @ figures.calls.waited_ns)),
        least_repeated=repeated,
        statements=[_with_examples(each, ids) for each in listed],
        slow=list(figures.slow(limit)),
        repeated=[_with_examples(each, ids) for each in again],
        routes=[_with_examples(each, ids) for each in routes],
        evidence=_evidence([*again, *listed], ids),
    )


def _cost(found: RepeatedQuery) -> float:
    """What all requests wait for it."""
    return found.waited_ns * found.requests


def _trace_ids(population: Population, listed: Iterable[Shown[Any]]) -> dict[int, str]:
    """The ids of the traces of all examples, by the number of their request: one look at the store."""
    return trace_ids(population, {request for each in listed for request in _examples(each)})


def _examples(shown: Shown[Any]) -> list[int]:
    return list(dict.fromkeys(shown.requests[:_LOOKED_AT].tolist()))[:_EXAMPLES]


def _with_examples(shown: Shown[Found], ids: Mapping[int, str]) -> Found:
    return replace(shown.found, examples=[ids[request] for request in _examples(shown)])


def _evidence(telling: Iterable[Shown[Any]], ids: Mapping[int, str]) -> Evidence:
    """One request of each."""
    told = (ids[request] for each in telling for request in _examples(each)[:1])
    return Evidence(list(dict.fromkeys(told)), [_SQL])
