"""Kinds of errors that came with the candidate."""

from collections.abc import Sequence
from typing import Final

import duckdb

from infersight_analysis.failures.failures import Failure
from infersight_analysis.failures.groups import grouped
from infersight_analysis.failures.history import Since, changes
from infersight_analysis.findings import NewFault
from infersight_analysis.options import Window
from infersight_analysis.releases.times import Times

_EXAMPLES: Final = 5
_CLIPPED: Final = 200


def new_faults(
    connection: duckdb.DuckDBPyConnection,
    service: str,
    names: tuple[str, str],
    times: Times,
    requests: tuple[float, float],
) -> list[NewFault]:
    """The kinds of errors of a service that are new, or more frequent, with the candidate; the most frequent first.

    They are told as `infersight errors --since` tells them, by the requests that each version served.

    Args:
        connection: from `connect`.
        service: its name.
        names: the versions of baseline and candidate.
        times: when each is looked at.
        requests: how many each served, un-biased by sampling.
    """

    def is_since(failure: Failure) -> bool | None:
        """Whether it is the candidate's; None where it is of neither version."""
        at = failure.first.time_ns
        version = failure.first.version
        if version == names[1] and times.candidate[0] <= at < times.candidate[1]:
            return True
        return False if version == names[0] and times.baseline[0] <= at < times.baseline[1] else None

    window = Window(min(times.baseline[0], times.candidate[0]), max(times.baseline[1], times.candidate[1]))
    groups = grouped(connection, window, service).groups
    moment = Since(f"with {names[1]}", is_since, {service: requests}, otherwise=f"with {names[0]}")
    states = changes([group.every for group in groups], moment)
    return [
        NewFault(
            fingerprint=group.fault.fingerprint,
            type=group.began[0].first.type or "error",
            message=_first_line(group.began[0].first.message),
            state=state.state,
            count=_weight(group.began, moment, of_candidate=True),
            baseline_count=_weight(group.began, moment, of_candidate=False),
            reason=state.statement,
            examples=_examples([failure for failure in group.began if is_since(failure)]),
        )
        for group, state in zip(groups, states, strict=True)
        if state.state in {"new", "regressed"} and group.began
    ]


def _weight(failures: Sequence[Failure], moment: Since, *, of_candidate: bool) -> float:
    return sum(failure.weight for failure in failures if moment.is_since(failure) is of_candidate)


def _examples(failures: Sequence[Failure]) -> list[str]:
    ids = [failure.first.trace_id for failure in failures if failure.first.trace_id is not None]
    return list(dict.fromkeys(ids))[:_EXAMPLES]


def _first_line(message: str) -> str:
    return message.strip().split("\n", 1)[0][:_CLIPPED]
