"""The version of the service is slower than the one before it."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from math import sqrt
from statistics import median
from typing import Final

from infersight_analysis.findings import Evidence, Hypothesis
from infersight_analysis.investigation.baseline import LEAST
from infersight_analysis.investigation.case import SLOW_SHARE, Case
from infersight_analysis.stored import literal
from infersight_analysis.times import iso_time, short_duration

_SURE: Final = 0.9
_STRONG: Final = 0.75
"""A version is slower where its requests take longer than the other's in so many of all pairs, ..."""

_DEVIATIONS: Final = 4.0
"""... which by chance differs from a half by so many standard errors in 1 of 30 000 cases."""


def deployment(case: Case) -> list[Hypothesis]:
    """This version's requests take longer than those of the version before."""
    version = case.request.span.version
    durations: defaultdict[str | None, list[int]] = defaultdict(list)
    first: dict[str | None, int] = {version: case.request.span.start_ns}
    for other in case.baseline.nearby:
        durations[other.version].append(other.felt_ns)
        first[other.version] = min(first.get(other.version, other.start_ns), other.start_ns)
    earlier = [other for other in durations if other != version and first[other] < first[version]]
    own = durations[version]
    if version is None or not earlier or len(own) < LEAST:
        return []
    before = max(earlier, key=lambda other: first[other])
    normal, now = median(durations[before]), median(own)
    if len(durations[before]) < LEAST or now - normal <= SLOW_SHARE * normal or not _is_slower(own, durations[before]):
        return []
    excess = case.felt_ns - normal
    if excess <= SLOW_SHARE * normal:
        return []
    share = min(1.0, (now - normal) / excess)
    statement = (
        f"version {version}, here since {iso_time(first[version])}, takes {short_duration(now)} in the median of "
        f"{len(own)} requests; {before or 'no version'} took {short_duration(normal)} in {len(durations[before])}"
    )
    sql = (
        "select service_version, count(*), median(duration_ns) from spans "  # noqa: S608 - quoted
        f"where name = {literal(case.request.span.name)} "
        f"and service_name = {literal(case.request.span.service)} group by all"
    )
    numbers = {"version": version, "median_ns": now, "version_before": before, "median_before_ns": normal}
    supporting = [f"{_superiority(own, durations[before]):.0%} of all pairs of requests say so"]
    opposing = (
        [] if share > 0.9 else [f"{short_duration(excess * (1 - share))} are more than that version's own median"]
    )
    evidence = Evidence([case.trace_id], [sql], numbers)
    return [Hypothesis("deployment", round(share * _SURE, 3), statement, evidence, supporting, opposing)]


def _is_slower(own: Sequence[int], before: Sequence[int]) -> bool:
    """The test of Mann and Whitney, by its normal approximation without ties."""
    error = sqrt((len(own) + len(before) + 1) / (12 * len(own) * len(before)))
    strength = _superiority(own, before)
    return strength >= _STRONG and strength - 0.5 > _DEVIATIONS * error


def _superiority(own: Sequence[int], before: Sequence[int]) -> float:
    """In how many of all pairs one's own is longer, an equal one counting half."""
    ordered = sorted(before)
    pairs = sum((bisect_left(ordered, value) + bisect_right(ordered, value)) / 2 for value in own)
    return pairs / (len(own) * len(before))
