"""Trees of spans with their times, processes and failures, many traces at once."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
from tests.benchmarks.synthetic.columns import Flags, Ints
from tests.benchmarks.synthetic.population import Population
from tests.benchmarks.synthetic.services import ROLES, SPREAD, Shape

MILLISECOND: Final = 10**6


@dataclass(frozen=True)
class Rows:
    """What the columns of spans are made of, one entry a span; `node` is an index into `World.nodes`."""

    trace: Ints
    node: Ints
    parent: Ints  # row of the parent, -1 of roots
    start: Ints
    duration: Ints
    instance: Ints
    failed: Flags
    raised: Flags  # where the error began


class World:
    """Shapes and people, and what is derived from them once."""

    def __init__(self, shapes: list[tuple[Shape, float]], people: Population) -> None:
        self.people: Final = people
        self.shapes: Final = [shape for shape, _ in shapes]
        self.shares: Final = np.array([share for _, share in shapes]) / sum(share for _, share in shapes)
        self.nodes: Final = [node for shape in self.shapes for node in shape]
        self.first: Final = np.cumsum([0, *map(len, self.shapes)])
        self.role: Final = np.array([ROLES.index(node.role) for node in self.nodes])
        self.service: Final = np.array([people.services.index(node.service) for node in self.nodes])
        self.spans_a_trace: Final = float(sum(len(shape) * share for shape, share in shapes))

    @cached_property
    def fixed(self) -> dict[str, pa.Array]:
        """By attribute key: its value for each node."""
        keys = dict.fromkeys(key for node in self.nodes for key in node.attributes)
        return {key: pa.array([node.attributes.get(key) for node in self.nodes]) for key in keys}

    def draw(self, traces: int, start_ns: int, end_ns: int, chance: np.random.Generator) -> Rows:
        """Traces that begin between two times, their spans in the order in which they end."""
        of_shape = np.bincount(chance.choice(len(self.shapes), traces, p=self.shares), minlength=len(self.shapes))
        parts: list[Rows] = []
        trace = row = 0
        for shape, count in enumerate(of_shape.tolist()):
            if count:
                begin = chance.integers(start_ns, end_ns, count)
                parts.append(self._shaped(shape, trace, row, begin, chance))
                trace, row = trace + count, row + parts[-1].trace.size
        joined = [
            np.concatenate(columns) for columns in zip(*(tuple(vars(part).values()) for part in parts), strict=True)
        ]
        return _in_order_of_arrival(Rows(*joined))

    def _shaped(self, index: int, trace: int, row: int, begin: Ints, chance: np.random.Generator) -> Rows:
        shape, first = self.shapes[index], int(self.first[index])
        traces, size = begin.size, len(shape)
        start, duration = _times(shape, begin, chance)
        server = np.array([node.server for node in shape])
        instance = np.empty((traces, size), dtype=np.int64)
        for at in np.unique(server).tolist():
            instance[:, server == at] = self.people.instance_of(shape[at].service, traces, chance)[:, None]
        failed, raised = _failures(shape, traces, chance)
        parent = np.array([node.parent for node in shape])
        rows = row + np.arange(traces)[:, None] * size
        return Rows(
            trace=np.repeat(trace + np.arange(traces), size),
            node=np.tile(first + np.arange(size), traces),
            parent=np.where(parent < 0, -1, rows + parent).ravel(),
            start=start.ravel(),
            duration=duration.ravel(),
            instance=instance.ravel(),
            failed=failed.ravel(),
            raised=raised.ravel(),
        )


def _times(shape: Shape, begin: Ints, chance: np.random.Generator) -> tuple[Ints, Ints]:
    """Start and duration of each span: a parent lasts as long as its children, and its own work before and after."""
    traces, size = begin.size, len(shape)
    usual = np.array([node.milliseconds for node in shape]) * MILLISECOND
    spread = np.array([SPREAD[node.role] for node in shape])
    slow = np.exp(chance.normal(0, 0.25, traces)) * np.where(chance.random(traces) < 0.01, 6, 1)
    own = usual * np.exp(chance.normal(0, 1, (traces, size)) * spread) * slow[:, None]
    duration = own.copy()
    offset = np.zeros((traces, size))  # from the parent's start
    for at in reversed(range(size)):
        cursor = own[:, at] * 0.6
        began = cursor
        for child in (index for index in range(at + 1, size) if shape[index].parent == at):
            began = began if shape[child].together else cursor + chance.exponential(20_000, traces)
            offset[:, child] = began
            cursor = np.maximum(cursor, began + duration[:, child])
        duration[:, at] = cursor + own[:, at] * 0.4
    start = np.empty((traces, size), dtype=np.int64)
    start[:, 0] = begin
    for at in range(1, size):
        start[:, at] = start[:, shape[at].parent] + offset[:, at].astype(np.int64)
    return start, duration.astype(np.int64)


def _failures(shape: Shape, traces: int, chance: np.random.Generator) -> tuple[Flags, Flags]:
    """One error in some of the traces, which fails what called it, up to the root or to who goes on without."""
    size = len(shape)
    raised = np.zeros((traces, size), dtype=bool)
    broken = np.flatnonzero(chance.random(traces) < 0.015)
    raised[broken, chance.integers(1, size, broken.size)] = True
    failed = raised.copy()
    for at in reversed(range(1, size)):
        failed[:, shape[at].parent] |= failed[:, at] & (chance.random(traces) < 0.9)
    return failed, raised


def _in_order_of_arrival(rows: Rows) -> Rows:
    order = np.argsort(rows.start + rows.duration, kind="stable")
    place = np.empty(order.size + 1, dtype=np.int64)
    place[order] = np.arange(order.size)
    place[-1] = -1  # the parent of roots
    return Rows(
        trace=rows.trace[order],
        node=rows.node[order],
        parent=place[rows.parent[order]],
        start=rows.start[order],
        duration=rows.duration[order],
        instance=rows.instance[order],
        failed=rows.failed[order],
        raised=rows.raised[order],
    )
