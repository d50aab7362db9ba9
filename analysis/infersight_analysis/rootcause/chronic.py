"""Errors that were there before: visits that end with one say nothing new, wherever in the system they are."""

import re
from collections.abc import Iterable
from typing import Final

import numpy as np

from infersight_analysis.forest import Flags, Rows
from infersight_analysis.rootcause.doings import Doings
from infersight_analysis.rootcause.visits import Visits
from infersight_analysis.stats.tables import p_values

FALSE_ALARMS: Final = 0.001
"""An error is news when its share of the traces grew by more than chance would have it this often. Errors come in
bursts, so their counts vary by more than chance."""

_ERRORS: Final = ("error log", "exception")


def chronic_visits(visits: Visits, doings: Doings) -> Flags:
    """The visits in which an error occurs that the baseline has as well, not much more rarely; and their callers.

    Errors of the same words are one, whichever service has them and whichever it names: where instances are hard to
    find for one service today and for another one tomorrow, neither is news.
    """
    groups = _errors(doings, visits.table.service.values)
    group = groups[doings.doing]
    rows = np.flatnonzero(group >= 0)
    traces = int(visits.trace.max(initial=-1)) + 1
    having = np.unique(group[rows] * max(1, traces) + visits.trace[doings.visit[rows]])
    is_late = np.zeros(traces, np.bool_)
    is_late[visits.trace[visits.in_window]] = True
    of_all = int(np.count_nonzero(is_late[np.unique(visits.trace)]))
    sizes = of_all, len(np.unique(visits.trace)) - of_all
    number, during = having // max(1, traces), is_late[having % max(1, traces)]
    many = int(groups.max(initial=-1)) + 1
    late, early = np.bincount(number[during], minlength=many), np.bincount(number[~during], minlength=many)
    chronic = np.flatnonzero(early)
    of_both = [np.full(len(chronic), size) for size in sizes]
    grew = (late[chronic] * sizes[1] > early[chronic] * sizes[0]) & (
        p_values(late[chronic], early[chronic], *of_both) <= FALSE_ALARMS
    )
    return _with_callers(visits, doings.visit[rows[np.isin(group[rows], chronic[~grew])]])


def _errors(doings: Doings, services: Iterable[str]) -> Rows:
    """The number of the error that each doing is, -1 for others."""
    names = sorted(filter(None, services), key=len, reverse=True)
    of_service = re.compile("|".join(map(re.escape, names)) or r"(?!)")
    numbers: dict[tuple[str, str], int] = {}
    return np.array(
        [
            numbers.setdefault((kind, of_service.sub("<service>", text)), len(numbers)) if kind in _ERRORS else -1
            for kind, text in doings.names
        ],
        np.int64,
    )


def _with_callers(visits: Visits, chosen: Rows) -> Flags:
    """These visits and all those that they were called by."""
    found = np.zeros(len(visits), np.bool_)
    found[chosen] = True
    for level in reversed(visits.levels[1:]):
        found[visits.caller[level[found[level]]]] = True
    return found
