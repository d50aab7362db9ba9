"""Kinds of errors that came with the candidate."""

from collections.abc import Sequence
from typing import Final

import duckdb

from infersight_analysis.failures.failures import Failure
from infersight_analysis.failures.groups import grouped
from infersight_analysis.failures.history import Since, changes
from infersight_analysis.findings import NewFault
from infersight_analysis.options import Window
from infersight_analysis.releases.times import Side

_EXAMPLES: Final = 5
_CLIPPED: Final = 200


def new_faults(
    connection: duckdb.DuckDBPyConnection, service: str, sides: tuple[Side, Side], requests: tuple[float, float]
) -> list[NewFault]:
    """The kinds of errors of a service that are new, or more frequent, with the candidate; the most frequent first.

    They are told as `infersight errors --since` tells them, by the requests that each version served.

    Args:
        connection: from `connect`.
        service: its name.
        sides: baseline and candidate.
        requests: how many each served, un-biased by sampling.
    """
    baseline, candidate = sides

    def is_since(failure: Failure) -> bool | None:
        """Whether it is the candidate's; None where it is of neither version."""
        if _is_of(failure, candidate):
            return True
        return False if _is_of(failure, baseline) else None

    (start, end), (other_start, other_end) = (side.between_ns for side in sides)
    window = Window(min(start, other_start), max(end, other_end))
    groups = grouped(connection, window, service).groups
    moment = Since(f"with {candidate.version}", is_since, {service: requests}, otherwise=f"with {baseline.version}")
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


def _is_of(failure: Failure, side: Side) -> bool:
    start_ns, end_ns = side.between_ns
    return failure.first.version == side.version and start_ns <= failure.first.time_ns < end_ns


def _weight(failures: Sequence[Failure], moment: Since, *, of_candidate: bool) -> float:
    return sum(failure.weight for failure in failures if moment.is_since(failure) is of_candidate)


def _examples(failures: Sequence[Failure]) -> list[str]:
    ids = [failure.first.trace_id for failure in failures if failure.first.trace_id is not None]
    return list(dict.fromkeys(ids))[:_EXAMPLES]


def _first_line(message: str) -> str:
    return message.strip().split("\n", 1)[0][:_CLIPPED]
