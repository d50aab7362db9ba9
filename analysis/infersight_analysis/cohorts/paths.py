"""Which call paths make the requests of one cohort take longer than those of the other."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.population import Requests, Rows
from infersight_analysis.cohorts.trees import Paths
from infersight_analysis.findings import CohortPath

_TAIL: Final = 0.985, 0.995
"""Quantiles of duration between which a request is one of the tail: around the 99th percentile."""

_LEAST_SHARE: Final = 0.001
"""Paths that make up less of all differences than this are said as one."""

Operations = Mapping[int, tuple[str | None, str]]
"""Service and name of an operation, by its number."""


def groups_of(requests: Requests) -> list[Rows]:
    """The requests of target and baseline, and of the tail of each: one at least, where there are any."""
    cohorts = [np.flatnonzero(requests.is_target), np.flatnonzero(~requests.is_target)]
    return cohorts + [_tail(cohort, requests.duration_ns[cohort]) for cohort in cohorts]


def _tail(cohort: Rows, duration_ns: Rows) -> Rows:
    low, high = (int(np.floor(len(cohort) * share)) for share in _TAIL)
    order = np.argsort(duration_ns, kind="stable")
    return cohort[order[min(low, max(0, len(cohort) - 1)) : max(high, low + 1)]]


def path_differences(paths: Paths, requests: Requests, operations: Operations) -> list[CohortPath]:
    """The mean critical-path time of each call path in both cohorts, largest difference first.

    The differences sum to that of the mean durations, those of the tail to that of the mean durations of the tails.

    Args:
        paths: sums over the groups of `groups_of`.
        requests: both cohorts, neither of them empty.
        operations: what the operations are called.
    """
    sizes = np.array([len(group) for group in groups_of(requests)])
    means = paths.sums / sizes[:, np.newaxis]
    difference, tail = means[0] - means[1], means[2] - means[3]
    weight = np.maximum(_share(difference), _share(tail))
    said = np.flatnonzero(weight >= _LEAST_SHARE)
    rows = [
        _row(*operations[paths.operation[number]], _names(paths, number, operations), means[:, number])
        for number in said[np.argsort(-np.abs(difference[said]), kind="stable")].tolist()
    ]
    rest = np.setdiff1d(np.arange(len(weight)), said)
    if len(rest):
        rows.append(_row(None, "", [], means[:, rest].sum(axis=1)))
    return rows


def _share(differences: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    total = float(np.abs(differences).sum())
    return np.abs(differences) / total if total else differences


def _names(paths: Paths, number: int, operations: Operations) -> list[str]:
    names: list[str] = []
    while number >= 0:
        names.append(operations[paths.operation[number]][1])
        number = paths.above[number]
    return names[::-1]


def _row(service: str | None, name: str, path: list[str], means: npt.NDArray[np.float64]) -> CohortPath:
    target, baseline, tail_target, tail_baseline = means.tolist()
    return CohortPath(
        path=path,
        service=service,
        name=name,
        target_ns=target,
        baseline_ns=baseline,
        difference_ns=target - baseline,
        tail_target_ns=tail_target,
        tail_baseline_ns=tail_baseline,
        tail_difference_ns=tail_target - tail_baseline,
    )
