"""What requests would take if an operation were faster or slower."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.population import Population
from infersight_analysis.cohorts.subjects import Operation
from infersight_analysis.cohorts.trees import Table
from infersight_analysis.critical_paths.schedule import rescheduled
from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings import WhatIf

_CHANGE: Final = re.compile(r"([+-])(\d+(?:\.\d+)?)%")


@dataclass(frozen=True)
class Change:
    """Another own time of an operation: that of all spans of this name, multiplied by the factor.

    Args:
        text: as it was written.
        name: of the spans.
        factor: not negative.
    """

    text: str
    name: str
    factor: float

    @classmethod
    def of(cls, text: str) -> "Change":
        """What `--what-if` says, such as `forward=-30%`.

        Raises:
            AnalysisError: it says something else.
        """
        name, _, change = text.rpartition("=")
        found = _CHANGE.fullmatch(change.strip())
        if not name.strip() or found is None or (found[1] == "-" and float(found[2]) > 100):
            raise AnalysisError(f"--what-if takes an operation and a change, such as forward=-30%, not {text!r}")
        return cls(text, name.strip(), 1 + float(found[1] + found[2]) / 100)


def what_if(
    population: Population, operations: Sequence[Operation], changes: Sequence[Change], table: Table | None = None
) -> list[WhatIf]:
    """The effect of all changes together on the requests of each cohort that there are requests in; target first.

    Args:
        population: the requests.
        operations: by their number.
        changes: what would be otherwise; none is no finding.
        table: the spans of the population, read again without it.

    Raises:
        AnalysisError: no span has the name of a change.
    """
    if not changes:
        return []
    scale = _scale(operations, changes)
    after = np.zeros(len(population.requests))
    for part in (table or Table.of(population)).parts(population):
        after[part.request[part.tops]] = rescheduled(part.forest, part.tops, scale[part.operation])
    requests = population.requests
    cohorts = (("target", requests.is_target), ("baseline", ~requests.is_target))
    said = [change.text for change in changes]
    return [
        _finding(cohort, said, requests.duration_ns[members].astype(np.float64), after[members])
        for cohort, members in cohorts
        if np.any(members)
    ]


def _scale(operations: Sequence[Operation], changes: Sequence[Change]) -> npt.NDArray[np.float64]:
    names = [name for _, name, _ in operations]
    scale = np.ones(len(names))
    for change in changes:
        chosen = np.array([name == change.name for name in names], np.bool_)
        if not chosen.any():
            known = [name for name in dict.fromkeys(names) if name]
            near = get_close_matches(change.name, known, n=3, cutoff=0.4) or known[:3]
            raise AnalysisError(f"no span of these requests is called {change.name!r}; there are {', '.join(near)}")
        scale[chosen] *= change.factor
    return scale


def _finding(
    cohort: str, changes: list[str], before: npt.NDArray[np.float64], after: npt.NDArray[np.float64]
) -> WhatIf:
    p99 = [float(np.quantile(durations, 0.99)) for durations in (before, after)]
    means = [float(durations.mean()) for durations in (before, after)]
    return WhatIf(
        changes=changes,
        cohort=cohort,
        requests=len(before),
        mean_ns=means[0],
        new_mean_ns=means[1],
        mean_difference_ns=means[1] - means[0],
        p99_ns=p99[0],
        new_p99_ns=p99[1],
        p99_difference_ns=p99[1] - p99[0],
    )
