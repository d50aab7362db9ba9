"""Failures grouped by fault: those of a window, and what each fault is known by in all of the history."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from infersight_analysis.failures.failures import Failure, failures, read_records
from infersight_analysis.failures.fingerprint import Fault, fault_of, without_values
from infersight_analysis.failures.spans import Surroundings, consequences, read_surroundings
from infersight_analysis.options import Window
from infersight_analysis.times import SECOND_NS

HISTORY_NS: Final = 7 * 86_400 * SECOND_NS
"""How long before a window a fault is looked for that may be new in it."""


@dataclass(frozen=True)
class Group:
    """Failures of one fault, in the order of time.

    Args:
        fault: what they have in common.
        began: those of the window that a trace's trouble began with.
        followed: those of the window that followed from another failure of their trace.
        every: all that are known, those before the window included.
    """

    fault: Fault
    began: Sequence[Failure]
    followed: Sequence[Failure]
    every: Sequence[Failure]

    @property
    def count(self) -> float:
        """How many failures those that it began with stand for."""
        return sum(failure.weight for failure in self.began)


@dataclass(frozen=True)
class Grouped:
    """Everything that failed in a window.

    Args:
        groups: most frequent first; those that only followed last.
        causes: by the identity of each failure that followed, the one that its trace's trouble began with.
        surroundings: the spans around the window's failures.
    """

    groups: Sequence[Group]
    causes: Mapping[int, Failure]
    surroundings: Surroundings

    @property
    def fault_of(self) -> dict[int, Fault]:
        """The fault of each failure of the window, by its identity."""
        members = ((group.fault, (*group.began, *group.followed)) for group in self.groups)
        return {id(failure): fault for fault, failures in members for failure in failures}


def grouped(
    connection: duckdb.DuckDBPyConnection,
    window: Window,
    service: str | None = None,
    *,
    history_from_ns: int | None = None,
) -> Grouped:
    """Group what failed by fault.

    Args:
        connection: from `connect`.
        window: when it failed.
        service: only failures of this service.
        history_from_ns: from when on earlier failures are known faults; none are looked for without it.
    """
    start_ns = window.start_ns if history_from_ns is None else history_from_ns
    found = failures(read_records(connection, Window(start_ns, window.end_ns), service))
    now = [failure for failure in found if window.start_ns is None or failure.first.time_ns >= window.start_ns]
    surroundings = read_surroundings(connection, now)
    causes = consequences(now, surroundings)
    by_fault = _by_fault(found)
    current = {id(failure) for failure in now}
    groups = [_group(fault, members, current, causes) for fault, members in by_fault.items()]
    present = [group for group in groups if group.began or group.followed]
    order = sorted(present, key=lambda group: (not group.began, -group.count, group.fault.fingerprint))
    return Grouped(order, causes, surroundings)


def _by_fault(found: Sequence[Failure]) -> dict[Fault, list[Failure]]:
    faults = [fault_of(failure.first.type, failure.first.message, failure.raised) for failure in found]
    learned = without_values(faults)
    members: defaultdict[Fault, list[Failure]] = defaultdict(list)
    for failure, fault in zip(found, faults, strict=True):
        members[learned[fault]].append(failure)
    return members


def _group(fault: Fault, members: Sequence[Failure], current: set[int], causes: Mapping[int, Failure]) -> Group:
    now = [failure for failure in members if id(failure) in current]
    began = [failure for failure in now if id(failure) not in causes]
    return Group(fault, began, [failure for failure in now if id(failure) in causes], members)
