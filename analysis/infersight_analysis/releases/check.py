"""`rollback check`: two versions of a service compared out of a store, and a verdict on the newer one."""

from collections.abc import Iterator, Sequence
from typing import Final

import duckdb

from infersight_analysis.findings import ReleaseCheck, ReleaseMeasure, ReleaseSide
from infersight_analysis.options import Window
from infersight_analysis.releases import predictions, resources
from infersight_analysis.releases.comparison import Compared, compared, confidence_of
from infersight_analysis.releases.evidence import evidence
from infersight_analysis.releases.faults import new_faults
from infersight_analysis.releases.limits import Limits
from infersight_analysis.releases.measures import Figure, measured
from infersight_analysis.releases.requests import Requests, read_requests
from infersight_analysis.releases.times import Side, Times, times
from infersight_analysis.releases.verdict import LEAST, Decision, decide
from infersight_analysis.times import SECOND_NS, iso_time

_OTHER_LOAD: Final = 1.5


def rollback_check(
    connection: duckdb.DuckDBPyConnection,
    *,
    service: str,
    baseline: str,
    candidate: str,
    window: Window = Window(),  # noqa: B008 - immutable
    limits: Limits = Limits(),  # noqa: B008 - immutable
    least: int = LEAST,
) -> ReleaseCheck:
    """Whether a version of a service is to be kept, rolled back, or needs more data.

    Args:
        connection: from `connect`.
        service: name of the service.
        baseline: the version that is known to be good.
        candidate: the other one.
        window: what to look at.
        limits: how much worse the candidate may be.
        least: fewest requests of each version that a verdict rests on.

    Raises:
        AnalysisError: one of the versions was not seen in the window.
    """
    when = times(connection, service, (baseline, candidate), window)
    sides = Side(baseline, when.baseline), Side(candidate, when.candidate)
    return compare_sides(connection, service, *sides, side_by_side=when.side_by_side, limits=limits, least=least)


def compare_sides(
    connection: duckdb.DuckDBPyConnection,
    service: str,
    baseline: Side,
    candidate: Side,
    *,
    side_by_side: bool = False,
    limits: Limits = Limits(),  # noqa: B008 - immutable
    least: int = LEAST,
) -> ReleaseCheck:
    """The same for two times that are named: of two versions, or of one before and after.

    Args:
        connection: from `connect`.
        service: name of the service.
        baseline: the version that is known to be good, and when.
        candidate: the other one, and when.
        side_by_side: whether both go on to serve.
        limits: how much worse the candidate may be.
        least: fewest requests of each that a verdict rests on.
    """
    served = [read_requests(connection, service, side.version, side.between_ns) for side in (baseline, candidate)]
    found = compared(served[0], served[1], limits, side_by_side=side_by_side)
    measures = found.measures + list(
        _others(connection, service, (baseline, candidate), served, limits, side_by_side=side_by_side)
    )
    when = Times(baseline.between_ns, candidate.between_ns, side_by_side)
    counts = served[0].count, served[1].count
    faults = new_faults(connection, service, (baseline.version, candidate.version), when, counts)
    recorded = len(served[0]), len(served[1])
    decision = decide(measures, found.routes, faults, recorded, least=least)
    ends = _side(baseline, served[0]), _side(candidate, served[1])
    return ReleaseCheck(
        service=service,
        verdict=decision.verdict,
        reasons=decision.reasons,
        investigate=decision.investigate,
        notes=[*_notes(ends, side_by_side=side_by_side), *found.notes],
        baseline=ends[0],
        candidate=ends[1],
        side_by_side=side_by_side,
        measures=measures,
        routes=_ordered(found),
        faults=faults,
        more_seconds=_more_seconds(decision, served[1]),
        limits=limits.values,
        evidence=evidence(connection, service, (baseline, candidate), (*measures, *found.routes), faults),
    )


def _others(
    connection: duckdb.DuckDBPyConnection,
    service: str,
    sides: tuple[Side, Side],
    served: Sequence[Requests],
    limits: Limits,
    *,
    side_by_side: bool,
) -> Iterator[ReleaseMeasure]:
    """What is not said by requests: predictions and resources."""
    confidence = confidence_of(limits)
    counts = [predictions.read_predictions(connection, service, side.version, side.between_ns) for side in sides]
    usage = [
        resources.read_usage(connection, service, side.version, side.between_ns, requests)
        for side, requests in zip(sides, served, strict=True)
    ]
    sizes = len(served[0]), len(served[1])
    found: list[tuple[str, Figure]] = [
        *predictions.figures(counts[0], counts[1], confidence),
        *resources.figures(usage[0], usage[1], sizes, confidence),
    ]
    for name, figure in found:
        # Beside each other it is not the version that says how much it is asked for.
        has_limit = name != "throughput" or not side_by_side
        yield measured(figure, limits[name], confidence, side_by_side=side_by_side, has_limit=has_limit)


def _side(side: Side, served: Requests) -> ReleaseSide:
    if not len(served):
        return ReleaseSide(side.version, None, None, 0.0, 0, None)
    first, last = int(served.times_ns.min()), int(served.times_ns.max())
    rate = served.count / ((last - first) / SECOND_NS) if last > first else None
    return ReleaseSide(side.version, iso_time(first), iso_time(last), served.count, len(served), rate)


def _notes(ends: tuple[ReleaseSide, ReleaseSide], *, side_by_side: bool) -> Iterator[str]:
    baseline, candidate = ends
    if side_by_side:
        return
    yield (
        f"{baseline.version} ran before {candidate.version}, not beside it: what changes with the time of day, the "
        "load or other services counts as the candidate's"
    )
    if baseline.per_second and candidate.per_second:
        ratio = candidate.per_second / baseline.per_second
        if not 1 / _OTHER_LOAD <= ratio <= _OTHER_LOAD:
            yield (
                f"the load was another one: {candidate.per_second:.3g} requests/s instead of {baseline.per_second:.3g}"
            )


def _ordered(found: Compared) -> list[ReleaseMeasure]:
    """Of single routes, those over their limits first."""
    return sorted(found.routes, key=lambda each: (each.standing != "over", each.trend != "worse"))


def _more_seconds(decision: Decision, candidate: Requests) -> float | None:
    """How long until enough is recorded at the candidate's present rate."""
    if decision.more_requests is None or len(candidate) < 2:
        return None
    length_ns = int(candidate.times_ns.max() - candidate.times_ns.min())
    return decision.more_requests * length_ns / SECOND_NS / len(candidate) if length_ns else None
