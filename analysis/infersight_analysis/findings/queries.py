"""Findings of `queries`."""

from dataclasses import dataclass

from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class QueryStatement:
    """One statement of one service, and what its calls took.

    Args:
        statement: its text with `?` for every value; the span's name where there is no text.
        summary: what the sender calls it, `db.query.summary`.
        system: of the database: `postgresql`, `redis`, ...
        calls: how many, un-biased by sampling.
        recorded: how many were recorded.
        failed: how many of `calls` failed.
        requests: how many requests made it, un-biased.
        per_request: calls by request that makes it.
        mean_ns: of its calls; the quantiles are interpolated.
        waited_ns: what requests waited for it on their critical paths, all of them together.
        share: that part of the time of all requests.
        examples: requests that waited longest for one call.
    """

    statement: str
    summary: str | None
    system: str | None
    service: str | None
    calls: float
    recorded: int
    failed: float
    requests: float
    per_request: float
    mean_ns: float
    p50_ns: float
    p95_ns: float
    p99_ns: float
    max_ns: int
    waited_ns: float
    share: float
    examples: list[str]


@dataclass(frozen=True)
class SlowQuery:
    """One call that took long.

    Args:
        route: of the request that made it; service is who made it.
        waited_ns: what the request waited for it on its critical path.
    """

    statement: str
    service: str | None
    route: str
    duration_ns: int
    waited_ns: int
    failed: bool
    start_time: str
    trace_id: str
    span_id: str


@dataclass(frozen=True)
class RepeatedQuery:
    """A statement that requests of one route make again and again from one place: N+1.

    Args:
        parent: the span that makes it.
        requests: how many requests do, un-biased; `share` is their part of the route's.
        median_calls: how often in the median of these.
        most_calls: how often at most.
        waited_ns: what such a request waits for all of them together, in the mean.
        examples: those that make it most often.
    """

    statement: str
    service: str | None
    route: str
    parent: str
    requests: float
    share: float
    median_calls: float
    most_calls: int
    waited_ns: float
    examples: list[str]


@dataclass(frozen=True)
class RouteQueries:
    """How much one route asks of databases.

    Args:
        route: `http.route`, else the span's name.
        requests: un-biased by sampling.
        mean_calls: calls by request; the quantiles are over the requests that were recorded.
        statements: different ones in the median request.
        waited_ns: what a request waits for all of them together, in the mean.
        share: that part of the route's time.
        examples: the requests with most calls.
    """

    service: str | None
    route: str
    requests: float
    mean_calls: float
    p50_calls: float
    p95_calls: float
    most_calls: int
    statements: float
    waited_ns: float
    share: float
    examples: list[str]


@dataclass(frozen=True)
class DatabaseQueries:
    """What requests ask of databases.

    Args:
        requests: how many, un-biased by sampling.
        calls: how many queries they made.
        share: the part of their time in which they waited for these.
        least_repeated: how often in one place makes a statement `repeated`.
        statements: those for which requests wait most first.
        slow: single calls, the longest first.
        repeated: those for which requests wait most first.
        routes: those with most calls by request first.
    """

    requests: float
    calls: float
    share: float
    least_repeated: int
    statements: list[QueryStatement]
    slow: list[SlowQuery]
    repeated: list[RepeatedQuery]
    routes: list[RouteQueries]
    evidence: Evidence
