"""Many traces at once, as arrays: repaired trees and the critical-path time of each span.

The same rules as `trace.Trace` and `critical_path.critical_path`, which say them one node at a time, for the whole
population of a comparison: a level of all trees is one step.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NONE: Final = -1
"""No row: the parent of a top."""

_FIRST_BITS: Final = 17
"""Of a number that stands for two columns; 46 are left for the other one, as nanoseconds 19 hours."""

_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Spans:
    """Spans of many traces, one element a span; each trace's are together, in the order of start, end and id.

    Args:
        trace: number of the trace, ascending.
        span_id: what identifies the span in all traces, such as a hash of both ids.
        parent_id: the same of its parent, 0 without one.
        start_ns: start.
        end_ns: end; of an unfinished span anything.
        is_finished: whether it has an end.
        process: what identifies the process that emitted it.
        is_client: whether it called another service.
        is_server: whether it was called by one.
        is_error: whether it failed.
    """

    trace: Rows
    span_id: npt.NDArray[np.uint64]
    parent_id: npt.NDArray[np.uint64]
    start_ns: Rows
    end_ns: Rows
    is_finished: Flags
    process: Rows
    is_client: Flags
    is_server: Flags
    is_error: Flags


@dataclass(frozen=True)
class Forest:
    """The repaired trees; one element a span, in the order of the spans.

    Args:
        parent: row of the parent, `NONE` for tops.
        start_ns: start, clocks repaired.
        end_ns: end, never before the start.
        levels: rows of each depth, tops first.
        root: row of each trace's root, by its number.
    """

    parent: Rows
    start_ns: Rows
    end_ns: Rows
    levels: tuple[Rows, ...]
    root: Rows

    @classmethod
    def of(cls, spans: Spans) -> "Forest":
        """Build and repair the trees, as `trace.Trace.of` does; spans that were sent twice must have been left out."""
        start = spans.start_ns.copy()
        end = np.maximum(np.where(spans.is_finished, spans.end_ns, start), start)
        parent = _parents(spans)
        levels = _cut_cycles(parent)
        _repair_ends(parent, levels, end, spans.is_finished)
        root, has_adopted = _adopt(spans, parent, start, end)
        if has_adopted:
            levels = tuple(_levels(parent))
        _repair_clocks(spans, parent, levels, start, end)
        return cls(parent, start, end, levels, root)


def critical_times(forest: Forest, requests: Rows) -> Rows:
    """Nanoseconds that each span is responsible for on the critical path of the request above it.

    Args:
        forest: the trees.
        requests: rows of the spans whose paths are wanted, none of them below another.

    Returns:
        one element a span; those of a request and what is below it sum to the request's duration.
    """
    low, high = forest.start_ns.copy(), forest.start_ns.copy()  # windows; empty where a span is not on the path
    high[requests] = forest.end_ns[requests]
    own = high - low
    is_awaited = awaited(forest)
    for children in forest.levels[1:]:
        on_path = own[forest.parent[children]] > 0
        _share(forest, children[on_path & is_awaited[children]], low, high, own)
    return own


def _share(forest: Forest, children: Rows, low: Rows, high: Rows, own: Rows) -> None:
    """Give each child the part of its parent's window in which it was waited for; see `critical_path`."""
    if not len(children):
        return
    end = forest.end_ns[children]
    children = children[in_order(forest.parent[children], end.max() - end, forest.start_ns[children], children)]
    parents = forest.parent[children]
    first = np.flatnonzero(np.append(True, parents[1:] != parents[:-1]))
    parents, counts = parents[first], np.diff(first, append=len(parents))
    now = high[parents]
    place = 0
    while len(parents):
        child = children[first + place]
        start = np.maximum(forest.start_ns[child], low[parents])
        end = np.minimum(forest.end_ns[child], now)
        waited = start < end
        low[child], high[child] = start, np.where(waited, end, start)
        own[child] = np.where(waited, end - start, 0)
        own[parents] -= own[child]
        place += 1
        left = counts > place
        now = np.where(waited, start, now)[left]
        parents, first, counts = parents[left], first[left], counts[left]


def in_order(first: Rows, then: Rows, *others: Rows | npt.NDArray[np.uint64]) -> Rows:
    """The indices that sort by several columns, the first two of which tell nearly all rows apart.

    Args:
        first: not negative.
        then: not negative.
        others: those that decide where both are equal.
    """
    if not len(first) or int(first.max()) >= 1 << _FIRST_BITS or int(then.max()) >= 1 << 63 - _FIRST_BITS:
        return np.lexsort((*others[::-1], then, first))
    key = (first << 63 - _FIRST_BITS) | then  # one number is sorted in a tenth of the time
    order = np.argsort(key)
    key = key[order]
    is_equal = np.zeros(len(key), np.bool_)
    is_equal[1:] = key[1:] == key[:-1]
    is_equal[:-1] |= is_equal[1:]
    equal = np.flatnonzero(is_equal)
    rows = order[equal]
    order[equal] = rows[np.lexsort((*(column[rows] for column in others[::-1]), key[equal]))]
    return order


def awaited(forest: Forest) -> Flags:
    """Whether at least half of a span's time lies before its parent's end."""
    late = forest.end_ns - forest.end_ns[forest.parent]
    is_awaited: Flags = 2 * late <= forest.end_ns - forest.start_ns
    return is_awaited


def _parents(spans: Spans) -> Rows:
    """The row of each span's parent: the first span that has the id."""
    rows = np.arange(len(spans.span_id))
    bits = max(8, len(rows).bit_length() + 2)
    # A table of hashes tells all but a few, which took sorting and searching most of the time.
    slot = _slots(spans.span_id, bits)
    table = np.full(1 << bits, NONE)
    table[slot[::-1]] = rows[::-1]  # the first of several
    parent = table[_slots(spans.parent_id, bits)]
    is_known = (parent != NONE) & (spans.parent_id != 0)
    is_other = is_known & (spans.span_id[parent] != spans.parent_id)
    parent[~is_known | is_other] = NONE
    hidden = np.flatnonzero(spans.span_id[table[slot]] != spans.span_id)
    if len(hidden):
        known, first = np.unique(spans.span_id[hidden], return_index=True)
        wanted = spans.parent_id[is_other]
        place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        parent[is_other] = np.where(known[place] == wanted, hidden[first[place]], NONE)
    return np.where(parent == rows, NONE, parent)


def _slots(ids: npt.NDArray[np.uint64], bits: int) -> Rows:
    return (ids * _MIX >> np.uint64(64 - bits)).view(np.int64)


def _cut_cycles(parent: Rows) -> tuple[Rows, ...]:
    """Cut each cycle at its first row; the rows of each depth."""
    levels = tuple(_levels(parent))
    if sum(map(len, levels)) == len(parent):
        return levels
    reached = np.zeros(len(parent), np.bool_)
    for level in levels:
        reached[level] = True
    settled = reached
    for row in np.flatnonzero(~reached).tolist():  # hardly ever any
        path: list[int] = []
        at = row
        while not settled[at] and at not in path:
            path.append(at)
            at = int(parent[at])
        if at in path:
            parent[min(path[path.index(at) :])] = NONE
        settled[path] = True
    return tuple(_levels(parent))


def _levels(parent: Rows) -> Iterator[Rows]:
    """The rows of each depth, tops first; without those in and below a cycle."""
    order = np.argsort(parent, kind="stable")
    counts = np.bincount(parent + 1, minlength=len(parent) + 1)  # of tops, then of the children of each row
    first = np.cumsum(counts) - counts
    level = order[: counts[0]]
    while len(level):
        yield level
        of_each = counts[level + 1]
        within: Rows = np.arange(int(of_each.sum())) - np.repeat(np.cumsum(of_each) - of_each, of_each)
        level = np.sort(order[np.repeat(first[level + 1], of_each) + within])


def _repair_ends(parent: Rows, levels: tuple[Rows, ...], end: Rows, is_finished: Flags) -> None:
    """An unfinished span ends with the last span below it."""
    if is_finished.all():
        return
    for level in reversed(levels[1:]):
        below = level[~is_finished[parent[level]]]
        np.maximum.at(end, parent[below], end[below])


def _adopt(spans: Spans, parent: Rows, start: Rows, end: Rows) -> tuple[Rows, bool]:
    """Put tops below the root of their trace where they start during it.

    Returns:
        the row of each trace's root, and whether there were such tops.
    """
    tops = np.flatnonzero(parent == NONE)
    trace = spans.trace[tops]
    # A span without a parent comes first; where the root was lost, the first of the rest stands for it.
    order = np.lexsort((tops, spans.parent_id[tops] != 0, trace))
    first = np.flatnonzero(np.append(True, np.diff(trace[order]) != 0)) if len(order) else order
    root = tops[order[first]]
    is_root = np.zeros(len(parent), np.bool_)
    is_root[root] = True
    others = tops[~is_root[tops]]
    above = root[spans.trace[others]]
    inside = (start[above] <= start[others]) & (start[others] < end[above])
    parent[others[inside]] = above[inside]
    return root, bool(inside.any())


def _repair_clocks(spans: Spans, parent: Rows, levels: tuple[Rows, ...], start: Rows, end: Rows) -> None:
    """Shift callees that contradict causality into the middle of their callers, with everything below them."""
    shift = np.zeros(len(parent), np.int64)
    for level in levels[1:]:
        above = parent[level]
        moved = shift[above]
        start[level] += moved
        end[level] += moved
        remote = spans.is_client[above] & spans.is_server[level] & (spans.process[above] != spans.process[level])
        early = start[level] < start[above]
        late = (start[level] >= end[above]) & ~spans.is_error[above]
        slack = (end[above] - start[above]) - (end[level] - start[level])
        own = np.where(remote & (early | late), start[above] + np.maximum(0, slack // 2) - start[level], 0)
        start[level] += own
        end[level] += own
        shift[level] = moved + own
