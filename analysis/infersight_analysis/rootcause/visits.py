"""Visits: each time that a service was called, with everything it did until it answered.

A visit begins with the span at which a trace enters a service, and has the spans of that service below it. What a
service does wrong is told by its visits alone, given that it was called; so a service that is called less, because its
caller failed first, is not at fault.
"""

from dataclasses import dataclass

import numpy as np

from infersight_analysis.forest import NONE, Flags, Rows, critical_times
from infersight_analysis.rootcause.spans import SpanTable


@dataclass(frozen=True)
class Visits:
    """Visits; one element a visit, callers before callees, but for `of_span`.

    Args:
        table: the spans.
        top: row of the span at which the trace enters the service.
        of_span: number of the visit of each span.
        caller: number of the visit that called it, `NONE` without one.
        service: number of its service.
        operation: number of its service and the name of its first span together.
        in_window: whether it began in the incident, else in the baseline.
        levels: numbers of the visits of each depth, outermost first.
        own_ns: what its trace waited for it, not for those that it called, nor for the network.
        network_ns: what its trace waited on the way from its caller and back.
    """

    table: SpanTable
    top: Rows
    of_span: Rows
    caller: Rows
    service: Rows
    operation: Rows
    in_window: Flags
    levels: tuple[Rows, ...]
    own_ns: Rows
    network_ns: Rows

    def __len__(self) -> int:
        return len(self.top)

    @property
    def trace(self) -> Rows:
        """Number of the trace of each visit."""
        return self.table.trace_id.codes[self.top]

    @classmethod
    def of(cls, table: SpanTable, start_ns: int, end_ns: int) -> "Visits":
        """The visits that spans are.

        Args:
            table: the spans.
            start_ns: when the incident began.
            end_ns: when it ended.
        """
        forest, service = table.forest, table.service.codes
        parent = forest.parent
        has_parent = parent != NONE
        is_entry = ~has_parent | (service != service[parent]) | (table.is_server & table.is_client[parent])
        top = np.flatnonzero(is_entry)
        number = np.full(len(parent), NONE, np.int64)
        number[top] = np.arange(len(top))
        depth = np.zeros(len(top), np.int64)
        for level in forest.levels:
            inner = level[~is_entry[level]]
            number[inner] = number[parent[inner]]
            called = level[is_entry[level] & has_parent[level]]
            depth[number[called]] = depth[number[parent[called]]] + 1
        own_ns, network_ns = _waiting(table, top, number)
        operation = service[top] * (len(table.name.values) + 1) + table.name.codes[top]
        start = table.start_ns[top]
        return cls(
            table=table,
            top=top,
            of_span=number,
            caller=np.where(has_parent[top], number[parent[top]], NONE),
            service=service[top],
            operation=np.unique(operation, return_inverse=True)[1],
            in_window=(start >= start_ns) & (start < end_ns),
            levels=tuple(np.flatnonzero(depth == each) for each in range(int(depth.max(initial=-1)) + 1)),
            own_ns=own_ns,
            network_ns=network_ns,
        )


def _waiting(table: SpanTable, top: Rows, visit: Rows) -> tuple[Rows, Rows]:
    """What each trace waited for each visit: in the service, and on the way to it.

    A client span that a visit answers is on the way: its own time on the critical path is the network's.
    """
    forest = table.forest
    tops = np.flatnonzero(forest.parent == NONE)
    critical_ns = critical_times(forest, tops)
    parent = forest.parent[top]
    called = np.flatnonzero(parent != NONE)
    called = called[table.is_client[parent[called]]]
    on_the_way = np.zeros(len(forest.parent), np.bool_)
    on_the_way[parent[called]] = True
    network_ns = np.zeros(len(top), np.int64)
    network_ns[called] = critical_ns[parent[called]]
    own_ns = np.bincount(visit, np.where(on_the_way, 0, critical_ns), len(top)).astype(np.int64)
    return own_ns, network_ns
