"""`rollback check`: two versions of a service compared out of a store, and a verdict on the newer one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import duckdb

from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings import ReleaseCheck, ReleaseMeasure
from infersight_analysis.options import Window
from infersight_analysis.releases import predictions, resources
from infersight_analysis.releases.comparison import confidence_of
from infersight_analysis.releases.evidence import evidence
from infersight_analysis.releases.faults import new_faults
from infersight_analysis.releases.judgement import compare_requests
from infersight_analysis.releases.limits import Limits
from infersight_analysis.releases.measures import Figure, measured
from infersight_analysis.releases.requests import Requests, read_requests
from infersight_analysis.releases.times import Side, times
from infersight_analysis.releases.verdict import LEAST


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
        AnalysisError: one of the versions was not seen in the window, or both are the same.
    """
    if baseline == candidate:
        raise AnalysisError(f"{baseline!r} is both baseline and candidate: give two versions")
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
    sides = baseline, candidate
    served = [read_requests(connection, service, side) for side in sides]
    others = list(_others(connection, service, sides, served, limits, side_by_side=side_by_side))
    faults = new_faults(connection, service, sides, (served[0].count, served[1].count))
    found = compare_requests(
        served[0],
        served[1],
        service=service,
        names=(baseline.version, candidate.version),
        limits=limits,
        least=least,
        side_by_side=side_by_side,
        others=others,
        faults=faults,
    )
    return replace(found, evidence=evidence(connection, service, sides, (*found.measures, *found.routes), faults))


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
    counts = [predictions.read_predictions(connection, service, side) for side in sides]
    usage = [
        resources.read_usage(connection, service, side, requests) for side, requests in zip(sides, served, strict=True)
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
