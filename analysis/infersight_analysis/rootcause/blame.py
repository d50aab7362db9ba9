"""Which visits behave otherwise than in the baseline, and which of them are to blame for it.

A visit is blamed when it does something that visits of its operation did not do before, or leaves out what they did,
and nothing that it called is otherwise. What its callers then do otherwise follows from it. Where it waited in vain for
another service, that one is blamed.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.forest import NONE, Flags, Rows
from infersight_analysis.rootcause.chronic import chronic_visits
from infersight_analysis.rootcause.doings import FAILURES, Doings
from infersight_analysis.rootcause.unanswered import silent_services
from infersight_analysis.rootcause.visits import Visits
from infersight_analysis.stats.discoveries import q_values
from infersight_analysis.stats.surprise import smallest
from infersight_analysis.stats.tables import more_often, p_values

FALSE_DISCOVERIES: Final = 0.01
"""The share of changes that may be chance, as in `infersight compare`."""

RARE: Final = 0.1
"""What more of the visits of the baseline do, or leave out, is a matter of what is asked for, and changes with that."""


@dataclass(frozen=True)
class Changes:
    """What operations do more or less often than in the baseline; one element an operation and a doing.

    Args:
        operation: number of the operation.
        doing: number of what it does.
        doing_it: how many of its visits do it, in the incident and in the baseline.
        visits: how many visits it has, in both.
        p_value: that of Fisher's exact test.
        is_more: whether it is done more often in the incident.
    """

    operation: Rows
    doing: Rows
    doing_it: tuple[Rows, Rows]
    visits: tuple[Rows, Rows]
    p_value: npt.NDArray[np.float64]
    is_more: Flags

    def __len__(self) -> int:
        return len(self.operation)

    def at(self, rows: Rows) -> "Changes":
        """These of them."""
        first, second = self.doing_it
        visits, of_baseline = self.visits
        return Changes(
            self.operation[rows],
            self.doing[rows],
            (first[rows], second[rows]),
            (visits[rows], of_baseline[rows]),
            self.p_value[rows],
            self.is_more[rows],
        )


@dataclass(frozen=True)
class Blamed:
    """The blame of a service.

    Args:
        operation: number of its most blamed operation, or of the one that it did not answer.
        blamed: how many of the visits of that are to blame, or were not answered, in the incident and in the baseline.
        visits: how many visits it has, in both.
        is_silent: whether it did not answer.
        p_value: of having more in the incident, however many operations the service has; 1 where it has not.
    """

    operation: int
    blamed: tuple[int, int]
    visits: tuple[int, int]
    is_silent: bool
    p_value: float


@dataclass(frozen=True)
class Blame:
    """Who is to blame for what is done otherwise.

    Args:
        changes: what is done otherwise, beyond chance.
        visits: numbers of the visits to blame, of one service a trace.
        service: of each of them the service that is to blame: its own, or one that did not answer it.
        services: the blame of each service, by its number.
    """

    changes: Changes
    visits: Rows
    service: Rows
    services: dict[int, Blamed]

    @classmethod
    def of(cls, visits: Visits, doings: Doings) -> "Blame":
        """Find the changes and who is to blame; visits with chronic errors are set aside."""
        usual = ~chronic_visits(visits, doings)
        changes = changes_of(visits, doings, usual)
        changes = changes.at(np.flatnonzero(_discovered(changes, doings)))
        to_blame = _deepest(visits, usual, *_shown(visits, doings, changes))
        left_out = np.stack([changes.operation, changes.doing])[:, ~changes.is_more]
        silent = silent_services(visits, doings, left_out, to_blame)
        service = np.where(silent != NONE, silent, visits.service[to_blame])
        return cls(changes, to_blame, service, _by_service(visits, to_blame, service, usual))


def changes_of(visits: Visits, doings: Doings, among: Flags) -> Changes:
    """Everything that some visits do, compared by operation; operations without visits in both times are left out.

    The visits of a trace to one operation count as one: they are made for the same request, and do the same.
    """
    weight = _weights(visits, among)
    size = int(visits.operation.max(initial=-1)) + 1
    times = [chosen & among for chosen in _times(visits)]
    of_visits = [_counted(visits.operation[chosen], weight[chosen], size) for chosen in times]
    key = visits.operation[doings.visit] * max(1, len(doings.names)) + doings.doing
    keys, number = np.unique(key, return_inverse=True)
    operation = keys // max(1, len(doings.names))
    rows = np.flatnonzero((of_visits[0][operation] > 0) & (of_visits[1][operation] > 0))
    counts = [
        _counted(number[chosen[doings.visit]], weight[doings.visit[chosen[doings.visit]]], len(keys))[rows]
        for chosen in times
    ]
    operation = operation[rows]
    sizes = of_visits[0][operation], of_visits[1][operation]
    return Changes(
        operation=operation,
        doing=keys[rows] % max(1, len(doings.names)),
        doing_it=(counts[0], counts[1]),
        visits=sizes,
        p_value=p_values(counts[0], counts[1], *sizes),
        is_more=counts[0] * sizes[1] > counts[1] * sizes[0],
    )


def _discovered(changes: Changes, doings: Doings) -> Flags:
    """Which changes to look for in the visits.

    Those that are beyond chance, each kind by itself, and that are rare in the baseline, unless they are errors. An
    error that the baseline never has is always one; how much it is worth is told later, by how many visits have it.
    """
    kinds = np.array([kind for kind, _ in doings.names] or [""])[changes.doing]
    found = np.zeros(len(changes), np.bool_)
    for kind in np.unique(kinds):
        rows = np.flatnonzero(kinds == kind)
        found[rows] = q_values(changes.p_value[rows]) <= FALSE_DISCOVERIES
    is_error = np.isin(kinds, list(FAILURES))
    done, every = changes.doing_it[1], changes.visits[1]
    is_rare = np.where(changes.is_more, done, every - done) <= RARE * every
    discovered: Flags = (found & (is_error | is_rare)) | (is_error & changes.is_more & (done == 0))
    return discovered


def _weights(visits: Visits, among: Flags) -> npt.NDArray[np.float64]:
    """The weight of each visit: one, shared by those of its trace to the same operation."""
    key = visits.trace * (int(visits.operation.max(initial=-1)) + 1) + visits.operation
    _, number = np.unique(key, return_inverse=True)
    together = np.bincount(number[among], minlength=int(number.max(initial=-1)) + 1)[number]
    return 1.0 / np.maximum(together, 1)


def _counted(number: Rows, weight: npt.NDArray[np.float64], size: int) -> Rows:
    """The sums of weights, whole."""
    return np.rint(np.bincount(number, weight, size)).astype(np.int64)


def _times(visits: Visits) -> tuple[Flags, Flags]:
    return visits.in_window, ~visits.in_window


def _shown(visits: Visits, doings: Doings, changes: Changes) -> tuple[npt.NDArray[np.float64], Flags]:
    """The p value of the least likely change that each visit shows, 1 of none; whether it has errors that are new.

    A visit shows a change by doing what is done more often now, or by leaving out what is done less often.
    """
    least, fails = np.ones(len(visits)), np.zeros(len(visits), np.bool_)
    key = visits.operation[doings.visit] * max(1, len(doings.names)) + doings.doing
    of_change = changes.operation * max(1, len(doings.names)) + changes.doing
    order = np.argsort(key, kind="stable")
    first, last = (np.searchsorted(key, of_change, side, sorter=order) for side in ("left", "right"))
    for change in np.argsort(-changes.p_value).tolist():  # the least likely one stays
        showing = doings.visit[order[first[change] : last[change]]]
        if not changes.is_more[change]:
            showing = np.setdiff1d(np.flatnonzero(visits.operation == changes.operation[change]), showing)
        elif doings.names[int(changes.doing[change])][0] in FAILURES:
            fails[showing] = True
        least[showing] = changes.p_value[change]
    return least, fails


def _deepest(visits: Visits, usual: Flags, least: npt.NDArray[np.float64], fails: Flags) -> Rows:
    """Of each trace the visits to one service, below which none is otherwise.

    A service that fails comes first: what else is done otherwise may be a matter of what was asked for. Then the one
    with the least likely change, then the first.
    """
    otherwise = usual & (least < 1)
    below = np.zeros(len(visits), np.bool_)
    for level in reversed(visits.levels[1:]):
        below[visits.caller[level[otherwise[level] | below[level]]]] = True
    rows = np.flatnonzero(otherwise & ~below)
    started = visits.table.start_ns[visits.top[rows]]
    rows = rows[np.lexsort((started, least[rows], ~fails[rows], visits.trace[rows]))]
    traces, first, of_trace = np.unique(visits.trace[rows], return_index=True, return_inverse=True)
    return rows[visits.service[rows] == visits.service[rows[first]][of_trace]] if len(traces) else rows


def _by_service(visits: Visits, to_blame: Rows, service: Rows, among: Flags) -> dict[int, Blamed]:
    """The blame of each service: that of its most blamed operation, however many it has."""
    many = int(visits.operation.max(initial=-1)) + 1
    own = np.unique(visits.service * many + visits.operation)
    blamed = service * many + visits.operation[to_blame]
    pairs = np.union1d(own, blamed)  # of a service and an operation, its own or one that it did not answer
    place = np.searchsorted(pairs, blamed)
    operation = pairs % max(1, many)
    weight = _weights(visits, among)
    during, before = (
        (
            _counted(place[chosen[to_blame]], weight[to_blame[chosen[to_blame]]], len(pairs)),
            _counted(visits.operation[chosen & among], weight[chosen & among], many)[operation],
        )
        for chosen in _times(visits)
    )
    both = np.flatnonzero((during[1] > 0) & (before[1] > 0))
    p_value = more_often(during[0][both], before[0][both], during[1][both], before[1][both])
    of_service = pairs[both] // max(1, many)
    found: dict[int, Blamed] = {}
    for each in np.unique(of_service).tolist():
        rows = np.flatnonzero(of_service == each)
        worst = int(both[rows[np.argmin(p_value[rows])]])
        found[each] = Blamed(
            int(operation[worst]),
            (int(during[0][worst]), int(before[0][worst])),
            (int(during[1][worst]), int(before[1][worst])),
            bool(pairs[worst] not in own),
            smallest(p_value[rows].tolist()),
        )
    return found
