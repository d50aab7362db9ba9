"""When two versions are compared: while both served, or one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from infersight_analysis.deployments.marks import versions
from infersight_analysis.deployments.runs import Run
from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings import DeployedVersion
from infersight_analysis.options import Window
from infersight_analysis.times import SECOND_NS, parse_time

Between = tuple[int, int]

_LOOK_BACK_NS: Final = 3600 * SECOND_NS
"""How much of a baseline that ran before is looked at, at least."""

_MOSTLY: Final = 0.5


@dataclass(frozen=True)
class Side:
    """One version in the time in which it is looked at: from when on and before when, nanoseconds since the epoch."""

    version: str
    between_ns: Between

    def parameters(self, service: str) -> dict[str, Any]:
        """What it is in the queries: `service`, `version`, `from_ns`, `until_ns`."""
        start_ns, end_ns = self.between_ns
        return {"service": service, "version": self.version, "from_ns": start_ns, "until_ns": end_ns}


@dataclass(frozen=True)
class Times:
    """From when on and before when each version is looked at, nanoseconds since the epoch."""

    baseline: Between
    candidate: Between
    side_by_side: bool


def times(connection: duckdb.DuckDBPyConnection, service: str, names: tuple[str, str], window: Window) -> Times:
    """The times in which two versions can be compared.

    Both are looked at while both served, if that was for most of the candidate's latest run. Otherwise the baseline is
    looked at before, over as long a time as the candidate, but at least an hour, within the window.

    Args:
        connection: from `connect`.
        service: its name.
        names: the versions of baseline and candidate.
        window: what to look at.

    Raises:
        AnalysisError: one of the versions was not seen.
    """
    listed, _ = versions(connection, window, service)
    of_baseline, of_candidate = (_runs(listed, service, name) for name in names)
    latest = of_candidate[-1]
    beside = max((_both(run, latest) for run in of_baseline), key=lambda both: both[1] - both[0])
    if beside[1] - beside[0] >= _MOSTLY * (latest.last_ns - latest.first_ns) and beside[1] > beside[0]:
        between = beside[0], beside[1] + 1
        return Times(between, between, side_by_side=True)
    before = [run for run in of_baseline if run.first_ns < latest.first_ns] or of_baseline[:1]
    run = before[-1]
    length = max(_LOOK_BACK_NS, latest.last_ns - latest.first_ns)
    looked_back = max(run.first_ns, run.last_ns - length), run.last_ns + 1
    return Times(looked_back, (latest.first_ns, latest.last_ns + 1), side_by_side=False)


def _runs(listed: Sequence[DeployedVersion], service: str, name: str) -> list[Run]:
    """The runs of a version, whatever its environments and deployments, in the order of time."""
    found = [
        Run(parse_time(first), parse_time(last))
        for version in listed
        if version.version == name
        for first, last in version.runs
    ]
    if found:
        return sorted(found, key=lambda run: run.first_ns)
    others = sorted({version.version for version in listed if version.version})
    seen = f"there {'are' if len(others) > 1 else 'is'} {', '.join(others)}" if others else "nothing of it was recorded"
    raise AnalysisError(f"version {name!r} of service {service!r} was not seen in this time: {seen}")


def _both(one: Run, other: Run) -> Between:
    """While both ran; the end lies before the beginning where they never did."""
    return max(one.first_ns, other.first_ns), min(one.last_ns, other.last_ns)
