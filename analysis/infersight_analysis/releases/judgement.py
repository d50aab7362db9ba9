"""Two versions judged by their requests, wherever those come from."""

from collections.abc import Iterator, Sequence
from typing import Final

from infersight_analysis.findings import Evidence, NewFault, ReleaseCheck, ReleaseMeasure, ReleaseSide
from infersight_analysis.releases.comparison import Compared, compared
from infersight_analysis.releases.limits import Limits
from infersight_analysis.releases.requests import Requests
from infersight_analysis.releases.verdict import LEAST, Decision, decide
from infersight_analysis.times import SECOND_NS, iso_time

_OTHER_LOAD: Final = 1.5


def compare_requests(
    baseline: Requests,
    candidate: Requests,
    *,
    service: str = "service",
    names: tuple[str, str] = ("baseline", "candidate"),
    limits: Limits = Limits(),  # noqa: B008 - immutable
    least: int = LEAST,
    side_by_side: bool = True,
    others: Sequence[ReleaseMeasure] = (),
    faults: Sequence[NewFault] = (),
) -> ReleaseCheck:
    """Whether a version is to be kept, rolled back, or needs more data, by the requests that it served.

    Args:
        baseline: requests of the version that is known to be good.
        candidate: those of the other one.
        service: what to call the service.
        names: what to call the versions.
        limits: how much worse the candidate may be.
        least: fewest requests of each version that a verdict rests on.
        side_by_side: whether both served at the same time and go on to.
        others: what else is known of both.
        faults: kinds of errors that came with the candidate.
    """
    found = compared(baseline, candidate, limits, side_by_side=side_by_side)
    measures = [*found.measures, *others]
    decision = decide(measures, found.routes, faults, (len(baseline), len(candidate)), least=least)
    ends = _side(names[0], baseline), _side(names[1], candidate)
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
        faults=list(faults),
        more_seconds=_more_seconds(decision, candidate),
        limits=limits.values,
        evidence=Evidence([], []),
    )


def _side(name: str, served: Requests) -> ReleaseSide:
    if not len(served):
        return ReleaseSide(name, None, None, 0.0, 0, None)
    first, last = int(served.times_ns.min()), int(served.times_ns.max())
    rate = served.count / ((last - first) / SECOND_NS) if last > first else None
    return ReleaseSide(name, iso_time(first), iso_time(last), served.count, len(served), rate)


def _notes(ends: tuple[ReleaseSide, ReleaseSide], *, side_by_side: bool) -> Iterator[str]:
    baseline, candidate = ends
    if side_by_side:
        return
    if baseline.version == candidate.version:
        yield f"{baseline.version} against itself before: what changed with the time of day, or elsewhere, counts, too"
    else:
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
