"""What a release check can be checked by: requests of the candidate, and the queries that count."""

from collections.abc import Sequence
from typing import Final

import duckdb

from infersight_analysis.findings import Evidence, NewFault, ReleaseMeasure
from infersight_analysis.reading import query
from infersight_analysis.releases.times import Side
from infersight_analysis.stored import literal, literals

_EXAMPLES: Final = 5

_COUNTED: Final = (
    "select service_version, coalesce(attributes['http.route'], name) as route, sum(sample_weight) as requests, "
    "sum(sample_weight) filter (status_code = 'ERROR') as failed, "
    "quantile_cont(duration_ns, [0.5, 0.95, 0.99]) filter (status_code is distinct from 'ERROR') as quantiles_ns "
    "from spans where service_name = {service} and (kind in ('SERVER', 'CONSUMER') or parent_span_id is null) "
    "and ({when}) group by all order by route, service_version"
)
_PREDICTED: Final = (
    "select service_version, label, sum(sample_weight) as predictions, avg(confidence) as confidence, "
    "sum(sample_weight) filter (label_true is not null) as labelled, "
    "sum(sample_weight) filter (label_true = label) as right "
    "from predictions where service_name = {service} and service_version in ({versions}) "
    "group by all order by label, service_version"
)


def evidence(
    connection: duckdb.DuckDBPyConnection,
    service: str,
    sides: tuple[Side, Side],
    measures: Sequence[ReleaseMeasure],
    faults: Sequence[NewFault],
) -> Evidence:
    """Requests of the candidate that show what is worse, and the queries that count them.

    Args:
        connection: from `connect`.
        service: name of the service.
        sides: baseline and candidate.
        measures: all that were made.
        faults: kinds of errors that came with the candidate.
    """
    over = [each for each in measures if each.standing == "over"]
    telling = over or [each for each in measures if each.trend == "worse"]
    asked = {(each.route, each.unit == "share") for each in telling if each.unit in {"share", "ns"}}
    ids: list[str] = []
    for route, failed in sorted(asked, key=str):
        values = {**sides[1].parameters(service), "route": route, "failed": failed, "limit": _EXAMPLES}
        ids += [trace for (trace,) in connection.execute(query("releases/examples"), values).fetchall()]
    ids += [trace for fault in faults for trace in fault.examples]
    numbers = {"baseline": sides[0].between_ns, "candidate": sides[1].between_ns}
    return Evidence(list(dict.fromkeys(ids)), _queries(service, sides), numbers)


def _queries(service: str, sides: tuple[Side, Side]) -> list[str]:
    when = " or ".join(
        f"service_version = {literal(side.version)} and start_time_ns >= {side.between_ns[0]} "
        f"and start_time_ns < {side.between_ns[1]}"
        for side in sides
    )
    versions = literals(side.version for side in sides)
    return [
        _COUNTED.format(service=literal(service), when=when),
        _PREDICTED.format(service=literal(service), versions=versions),
    ]
