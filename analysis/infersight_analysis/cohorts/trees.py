"""What each span is to its request, and what the requests' time went to, by call path."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.columns import NO_VALUE, Hashes, codes_of, distinct_of, hash_of
from infersight_analysis.cohorts.population import CLIENT, ERROR, FINISHED, SERVER, Numbers32, Population
from infersight_analysis.forest import NONE, Flags, Forest, Rows, Spans, critical_times, in_order

APART: Final = -1
REQUEST: Final = 0
PARENT: Final = 1
FIRST_OPERATION: Final = 2
"""Subjects: a span that is neither above nor below the request, the request's span, its parent, and, from here on, the
operations of the spans below it."""

_CHUNK: Final = 60_000
"""Spans whose trees are built at once, few enough to stay in the processor's caches."""

_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Trees:
    """The spans of a population in their trees.

    Args:
        subject: what each span is to its request: `REQUEST`, `PARENT`, `APART`, or `FIRST_OPERATION` and the number of
            its operation; one element a span of the population.
        own_operation: number of the operation of each request's span.
        operations: hashes of service, name and kind, by the number of the operation.
        callers: by the number of an operation the numbers of those that call it, the requests' own included.
        paths: where the time of groups of requests went.
    """

    subject: Numbers32
    own_operation: Numbers32
    operations: Hashes
    callers: dict[int, set[int]]
    paths: "Paths"

    @classmethod
    def of(cls, population: Population, groups: Sequence[Rows]) -> "Trees":
        """Build the trees of all traces, some thousand at a time.

        Args:
            population: both cohorts.
            groups: the requests whose times are summed up together, by their numbers.
        """
        table = Table.of(population)
        paths = Paths(groups, len(population.requests))
        subject = np.full(len(population.rows), APART, np.int32)
        callers: defaultdict[int, set[int]] = defaultdict(set)
        for part in table.parts(population):
            subject[part.at] = np.where(part.is_below, part.operation + FIRST_OPERATION, APART)
            above = part.forest.parent[part.tops]
            subject[part.at[above[above != NONE]]] = PARENT
            subject[part.at[part.tops]] = REQUEST
            paths.add(part)
            for caller, called in _calls(part):
                callers[called].add(caller)
        return cls(subject, table.operation[population.top], table.operations, dict(callers), paths)


class Paths:
    """Sums of critical-path time by group of requests and by call path: the operations from the request down.

    Args:
        groups: the requests of each group.
        requests: how many requests there are.

    Attributes:
        above: number of the path above each path; that of a request's own path is -1.
        operation: number of each path's last operation.
        sums: nanoseconds, exact; a row for each group, a column for each path.
    """

    def __init__(self, groups: Sequence[Rows], requests: int) -> None:
        self._members: Final = np.zeros((len(groups), requests), np.bool_)
        for members, group in zip(self._members, groups, strict=True):
            members[group] = True
        self._numbers: Final[dict[int, int]] = {}
        self.above: Final[list[int]] = []
        self.operation: Final[list[int]] = []
        self.sums = np.zeros((len(groups), 0), np.int64)

    def add(self, part: "Part") -> Rows:
        """Take the spans of some trees.

        Returns:
            the number of each span's path; -1 of spans that are not below a request.
        """
        rows = np.flatnonzero(part.is_below)
        path = part.path[rows]
        number = self._known(path)
        if (number < 0).any():
            _, first = np.unique(path[number < 0], return_index=True)
            for row in rows[number < 0][first].tolist():
                self._number(row, part)
            number = self._known(path)
        missing = len(self.above) - self.sums.shape[1]
        self.sums = np.pad(self.sums, ((0, 0), (0, missing)))
        for group, members in enumerate(self._members):
            counted = members[part.request[rows]]
            # Sums of integers below 2**53 are exact in floating point: a hundred days on the path of one group.
            found = np.bincount(number[counted], part.own_ns[rows[counted]], len(self.above))
            self.sums[group] += found.astype(np.int64)
        of_spans = np.full(len(part.path), -1, np.int64)
        of_spans[rows] = number
        return of_spans

    def _known(self, path: Hashes) -> Rows:
        """The numbers of paths, -1 of those that have none yet."""
        if not self._numbers:
            return np.full(len(path), -1, np.int64)
        known = np.array(list(self._numbers), np.uint64)
        order = np.argsort(known)
        at = order[np.minimum(np.searchsorted(known, path, sorter=order), len(known) - 1)]
        return np.where(known[at] == path, at, -1)  # they are numbered in the order in which they came

    def _number(self, row: int, part: "Part") -> int:
        """The number of a row's path; paths above it have theirs already, or get one."""
        path, parent, is_below = part.path, part.forest.parent, part.is_below
        chain = [row]
        while int(path[chain[-1]]) not in self._numbers and (up := int(parent[chain[-1]])) != NONE and is_below[up]:
            chain.append(up)
        for each in reversed(chain):
            if int(path[each]) not in self._numbers:
                up = int(parent[each])
                is_request = up == NONE or not is_below[up]
                self._numbers[int(path[each])] = len(self.above)
                self.above.append(-1 if is_request else self._numbers[int(path[up])])
                self.operation.append(int(part.operation[each]))
        return self._numbers[int(path[row])]


@dataclass(frozen=True)
class Part:
    """The trees of some requests; one element a span, in the order of `forest.Spans`, but for `tops`.

    Args:
        at: number of the span in the population.
        request: number of its request.
        forest: the trees.
        tops: rows of the requests' spans.
        is_below: whether the span is a request's or below one.
        operation: number of its operation.
        path: hash of its call path; meaningless for spans that are not below a request.
        own_ns: its time on the critical path of its request.
    """

    at: Rows
    request: Numbers32
    forest: Forest
    tops: Rows
    is_below: Flags
    operation: Numbers32
    path: Hashes
    own_ns: Rows


@dataclass(frozen=True)
class Table:
    """What the trees are made of; one element a span of the population, but for `operations`.

    Args:
        request: number of the request.
        span: hash of the span's and the trace's id.
        parent: the same of its parent, 0 without one.
        start_ns: start.
        end_ns: end, 0 of an unfinished span.
        process: hash of the process.
        operation: number of the operation.
        operations: hashes of service, name and kind, by the number of the operation.
        marks: the population's.
    """

    request: Numbers32
    span: Hashes
    parent: Hashes
    start_ns: Rows
    end_ns: Rows
    process: Rows
    operation: Numbers32
    operations: Hashes
    marks: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, population: Population) -> "Table":
        """Read it."""
        trace = population.requests.trace
        request = population.request
        of_operation, parent, span, end_ns, process = population.read(
            "hash(service_name, name, kind)",
            hash_of("parent_span_id"),
            hash_of("span_id"),
            "coalesce(end_time_ns, 0)",
            "hash(service_name, service_instance_id)",
        )
        operation, operations = codes_of(of_operation)
        return cls(
            request=request,
            span=span ^ trace[request],
            parent=np.where(parent == NO_VALUE, np.uint64(0), parent ^ trace[request]),
            start_ns=population.start_ns,
            end_ns=end_ns,
            process=process.view(np.int64),
            operation=operation,
            operations=operations,
            marks=population.marks,
        )

    def parts(self, population: Population) -> "Iterator[Part]":
        """The trees of all requests, those of some thousand at a time.

        Args:
            population: the one that this was read for.
        """
        is_top = np.zeros(len(population.rows), np.bool_)
        is_top[population.top] = True
        for chosen in _chunks(self.request):
            at = self._in_order(chosen)
            forest = Forest.of(self._spans(at))
            tops = np.flatnonzero(is_top[at])
            is_below = _below(forest, tops)
            operation = self.operation[at]
            yield Part(
                at=at,
                request=self.request[at],
                forest=forest,
                tops=tops,
                is_below=is_below,
                operation=operation,
                path=_path_hashes(forest, tops, is_below, self.operations[operation]),
                own_ns=critical_times(forest, tops),
            )

    def _in_order(self, at: Rows) -> Rows:
        """Spans that lie by request in the order of `forest.Spans`, each once however often it was sent."""
        at = self._once(at)
        request, start, end = self.request[at], self.start_ns[at], self.end_ns[at]
        same = request[1:] == request[:-1]
        wrong = same & ((start[1:] < start[:-1]) | ((start[1:] == start[:-1]) & (end[1:] >= end[:-1])))
        if not wrong.any():
            return at
        last = np.maximum(end, start)
        return at[in_order(request.astype(np.int64) - int(request[0]), start - start.min(), -last, self.span[at])]

    def _once(self, at: Rows) -> Rows:
        ids = np.sort(self.span[at])
        if not (ids[1:] == ids[:-1]).any():
            return at
        unfinished = (self.marks[at] & FINISHED) == 0
        keys = (self.start_ns[at], self.operation[at], self.span[at])
        order = np.lexsort((np.arange(len(at)), unfinished, *keys))
        repeated = np.ones(len(at), np.bool_)
        repeated[0] = False
        for key in keys:
            repeated[1:] &= key[order][1:] == key[order][:-1]
        return np.delete(at, order[repeated])

    def _spans(self, at: Rows) -> Spans:
        marks = self.marks[at]
        return Spans(
            trace=self.request[at].astype(np.int64) - int(self.request[at[0]]),
            span_id=self.span[at],
            parent_id=self.parent[at],
            start_ns=self.start_ns[at],
            end_ns=self.end_ns[at],
            is_finished=(marks & FINISHED) > 0,
            process=self.process[at],
            is_client=(marks & CLIENT) > 0,
            is_server=(marks & SERVER) > 0,
            is_error=(marks & ERROR) > 0,
        )


def _chunks(request: Numbers32) -> Iterator[Rows]:
    """Spans of whole requests, by request, about as many as a chunk has."""
    order = np.argsort(request, kind="stable")
    start = 0
    while start < len(order):
        following = request[order[min(start + _CHUNK, len(order) - 1)]]
        stop = int(np.searchsorted(request, following, "left", sorter=order))
        if stop <= start or start + _CHUNK >= len(order):
            stop = int(np.searchsorted(request, following, "right", sorter=order))
        yield order[start:stop]
        start = stop


def _below(forest: Forest, tops: Rows) -> Flags:
    """Whether each span is a request's or below one."""
    is_below = np.zeros(len(forest.parent), np.bool_)
    is_below[tops] = True
    for level in forest.levels[1:]:
        is_below[level] |= is_below[forest.parent[level]]
    return is_below


def _calls(part: Part) -> Iterator[list[int]]:
    """The operations of callers and called, each pair once."""
    is_called = part.is_below.copy()
    is_called[part.tops] = False
    rows = np.flatnonzero(is_called)
    pairs = part.operation[part.forest.parent[rows]].astype(np.int64) << 32 | part.operation[rows]
    yield from ([pair >> 32, pair & 0xFFFFFFFF] for pair in distinct_of(pairs)[0].tolist())


def _path_hashes(forest: Forest, tops: Rows, is_below: Flags, operation: Hashes) -> Hashes:
    """The hash of each span's call path; meaningless for spans that are not below a request."""
    path = operation.copy()
    is_top = np.zeros(len(path), np.bool_)
    is_top[tops] = True
    for level in forest.levels[1:]:
        inner = level[is_below[level] & ~is_top[level]]
        path[inner] = path[forest.parent[inner]] * _MIX + operation[inner]
    return path
