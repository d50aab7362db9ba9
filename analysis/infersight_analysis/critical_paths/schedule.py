"""How long requests would take if the own time of some spans were another: their schedules, run again.

A trace does not say what waited for what, so this takes it from the order of events, as one reads it from a waterfall:
a span begins, or ends, after everything that its siblings had finished before, and after the work that the parent did
itself since. Scaling own time moves all that follows, and where two calls run side by side, the later one decides, also
if that is another one than before.
"""

import numpy as np
import numpy.typing as npt

from infersight_analysis.forest import Flags, Forest, Rows, awaited

Durations = npt.NDArray[np.float64]


def rescheduled(forest: Forest, requests: Rows, scale: Durations) -> Durations:
    """Durations of requests in nanoseconds, with the own time of each span multiplied.

    The own time of a span is that in which none of the children that it waited for runs. Children are clipped to
    their parent; those that were not waited for, see `critical_path.was_awaited`, hold nothing up.

    Args:
        forest: the trees.
        requests: rows of the spans whose durations are wanted.
        scale: factor for the own time of each span, not negative; with 1 everywhere the durations are as they are.
    """
    low, high = _windows(forest, requests)
    is_child = awaited(forest) & (high > low)
    is_child[requests] = False
    took = (high - low) * scale  # right for spans without children
    for level in reversed(forest.levels[1:]):
        children = level[is_child[level]]
        if len(children):
            parents, ends = _run(forest.parent[children], children, took, (low, high), scale)
            took[parents] = ends
    return took[requests]


def _windows(forest: Forest, requests: Rows) -> tuple[Rows, Rows]:
    """Start and end of each span, clipped to what is above it; empty for spans that are not below a request."""
    low, high = forest.start_ns.copy(), forest.start_ns.copy()
    high[requests] = forest.end_ns[requests]
    is_request = np.zeros(len(low), np.bool_)
    is_request[requests] = True
    for level in forest.levels[1:]:
        inner = level[~is_request[level]]
        above = forest.parent[inner]
        low[inner] = np.maximum(low[inner], low[above])
        high[inner] = np.maximum(low[inner], np.minimum(forest.end_ns[inner], high[above]))
    return low, high


def _run(
    parent: Rows, children: Rows, took: Durations, windows: tuple[Rows, Rows], scale: Durations
) -> tuple[Rows, Durations]:
    """The parents, and how long each takes: their events in the order of time, one of each parent in a step.

    A parent's clock is `joined`, when the last of the finished children had finished, and what passed `since`.
    """
    low, high = windows
    child, is_end, time, parents, first, counts = _events(parent, children, low, high)
    joined, since = np.zeros(len(parents)), np.zeros(len(parents))
    running, last = np.zeros(len(parents), np.int64), low[parents].astype(np.int64)
    begun = np.zeros(len(took))
    active = np.arange(len(parents))
    for step in range(int(counts.max())):
        active = active[counts[active] > step]
        event = first[active] + step
        passed = (time[event] - last[active]).astype(np.float64)
        since[active] += np.where(running[active] == 0, passed * scale[parents[active]], passed)
        last[active] = time[event]
        ends: Flags = is_end[event]
        starting, ending = active[~ends], active[ends]
        begun[child[event[~ends]]] = joined[starting] + since[starting]
        finished = child[event[ends]]
        joined[ending] = np.maximum(joined[ending], begun[finished] + took[finished])
        since[ending] = 0
        running[active] += np.where(ends, -1, 1)
    return parents, joined + since + (high[parents] - last) * scale[parents]


def _events(parent: Rows, children: Rows, low: Rows, high: Rows) -> tuple[Rows, Flags, Rows, Rows, Rows, Rows]:
    """Starts and ends of children by parent and time, an end before a start at the same time.

    Returns:
        child, whether it ends, and time of each event; then the parents, their first event and how many they have.
    """
    child = np.concatenate([children, children])
    is_end = np.repeat([False, True], len(children))
    time = np.concatenate([low[children], high[children]])
    above = np.concatenate([parent, parent])
    order = np.lexsort((child, ~is_end, time, above))
    parents, first, counts = np.unique(above[order], return_index=True, return_counts=True)
    return child[order], is_end[order], time[order], parents, first, counts
