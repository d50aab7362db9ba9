"""What is known of traces that wait for their decision: a few numbers each, gathered from the spans seen so far."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice, takewhile
from operator import itemgetter
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.processors.trace_ids import Hashes, hashes

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_LATEST: Final = np.iinfo(np.int64).max
_EARLIEST: Final = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one table, and which trace each belongs to.

    Attributes:
        table: in one chunk.
        trace: for each row the position of its trace in `hashes`, int64 `[rows]`; -1 where it has no trace id.
        hashes: the different traces, in the order in which they come, uint64 `[traces]`.
    """

    table: pa.Table
    trace: Ints
    hashes: Hashes

    @classmethod
    def of(cls, table: pa.Table, salt: str) -> "Rows":
        """The rows of a table that has a column `trace_id`."""
        table = table.combine_chunks()
        if not table.num_rows:
            return cls(table, np.empty(0, np.int64), np.empty(0, np.uint64))
        encoded = table.column("trace_id").chunk(0).dictionary_encode()
        positions = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
        return cls(table, positions, hashes(encoded.dictionary, salt))

    def any(self, flags: Any) -> Flags:
        """For each trace whether one of its rows is flagged; an Arrow array of booleans, in which null is false."""
        flagged = self.trace[pc.fill_null(flags, False).to_numpy(zero_copy_only=False)]
        found = np.zeros(len(self.hashes), np.bool_)
        found[flagged[flagged >= 0]] = True
        return found


class Condition(Protocol):
    """Something that a trace has or has not, told by its spans alone."""

    def found_in(self, spans: Rows) -> Flags:
        """For each trace whether it is found in these spans, bool `[traces]`."""
        ...


@dataclass(frozen=True, slots=True)
class Summaries:
    """What policies may ask of traces, one row a trace.

    Attributes:
        hashes: the traces, each once, uint64 `[traces]`.
        start: earliest start of a span, in nanoseconds since the epoch, int64 `[traces]`.
        end: latest end of a span, likewise.
        spans: number of spans, int64 `[traces]`.
        found: for each condition whether it was found in a span, bool `[traces, conditions]`.
    """

    hashes: Hashes
    start: Ints
    end: Ints
    spans: Ints
    found: Flags

    @classmethod
    def unseen(cls, traces: int, conditions: int) -> "Summaries":
        """Summaries of traces of which nothing was seen yet."""
        return cls(
            np.zeros(traces, np.uint64),
            np.full(traces, _LATEST),
            np.full(traces, _EARLIEST),
            np.zeros(traces, np.int64),
            np.zeros((traces, conditions), np.bool_),
        )

    def where(self, chosen: Flags) -> "Summaries":
        """Those of some traces, bool `[traces]`."""
        return Summaries(*(column[chosen] for column in self.columns))

    @property
    def columns(self) -> tuple[Any, ...]:
        """The columns, in the order of the attributes."""
        return self.hashes, self.start, self.end, self.spans, self.found

    @property
    def duration_ns(self) -> Ints:
        """From the earliest start to the latest end; 0 where a time is unknown or the clocks disagree."""
        known = (self.start < _LATEST) & (self.end > _EARLIEST)
        return np.where(known, np.maximum(self.end - np.where(known, self.start, 0), 0), 0)


def summarise(spans: Rows, conditions: Sequence[Condition]) -> Summaries:
    """The summaries of the traces that spans belong to, from these spans alone."""
    traces = len(spans.hashes)
    start, end = np.full(traces, _LATEST), np.full(traces, _EARLIEST)
    has_trace = spans.trace >= 0
    positions = spans.trace[has_trace]
    np.minimum.at(start, positions, _times(spans.table, "start_time_ns", _LATEST)[has_trace])
    np.maximum.at(end, positions, _times(spans.table, "end_time_ns", _EARLIEST)[has_trace])
    found = np.zeros((traces, len(conditions)), np.bool_)
    if traces:
        for number, condition in enumerate(conditions):
            found[:, number] = condition.found_in(spans)
    return Summaries(spans.hashes, start, end, np.bincount(positions, minlength=traces), found)


def _times(table: pa.Table, column: str, unknown: int) -> Ints:
    values: Ints = pc.fill_null(table.column(column), unknown).to_numpy()
    return values


class Waiting:
    """The traces that wait, with the time since when; a trace takes some 200 bytes.

    Args:
        conditions: number of conditions in the summaries.
    """

    def __init__(self, conditions: int) -> None:
        self._slots: dict[int, int] = {}  # in the order of their coming
        self._free: list[int] = []
        self._since = np.empty(0)
        self._kept = Summaries.unseen(0, conditions)

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, seen: Summaries, now: float) -> None:
        """Adds what was seen of traces, some of which may wait already."""
        known = self._slots
        new = [trace for trace in seen.hashes.tolist() if trace not in known]
        self._make_room(len(new))
        known.update((trace, self._free.pop()) for trace in new)
        self._since[[known[trace] for trace in new]] = now
        slots = np.array([known[trace] for trace in seen.hashes.tolist()], np.int64)
        kept = self._kept
        kept.hashes[slots] = seen.hashes
        kept.start[slots] = np.minimum(kept.start[slots], seen.start)
        kept.end[slots] = np.maximum(kept.end[slots], seen.end)
        kept.spans[slots] += seen.spans
        kept.found[slots] |= seen.found

    def take(self, traces: Iterable[int]) -> Summaries:
        """Removes traces, which need not wait, and returns what was known of those that did."""
        slots = [slot for trace in traces if (slot := self._slots.pop(trace, None)) is not None]
        kept, at = self._kept, np.array(slots, np.int64)
        taken = Summaries(*(column[at] for column in kept.columns))
        unseen = Summaries.unseen(len(slots), kept.found.shape[1])
        for column, blank in zip(kept.columns, unseen.columns, strict=True):
            column[at] = blank
        self._free += slots
        return taken

    def by_time(self, traces: Iterable[int]) -> Iterator[tuple[float, list[int]]]:
        """Those of the traces that wait, and since when: the ones that came together in one list, the oldest first."""
        known = [(float(self._since[slot]), trace) for trace in traces if (slot := self._slots.get(trace)) is not None]
        for since, group in groupby(sorted(known, key=itemgetter(0)), key=itemgetter(0)):
            yield since, [trace for _, trace in group]

    def first(self, count: int) -> list[int]:
        """The traces that came first."""
        return list(islice(self._slots, count))

    def since(self, time: float) -> list[int]:
        """The traces that came at this time or before."""
        return list(takewhile(lambda trace: self._since[self._slots[trace]] <= time, self._slots))

    def _make_room(self, traces: int) -> None:
        missing = traces - len(self._free)
        if missing <= 0:
            return
        size = len(self._since)
        grown = max(missing, size // 2, 1024)
        self._since = np.concatenate([self._since, np.zeros(grown)])
        unseen = Summaries.unseen(grown, self._kept.found.shape[1])
        self._kept = Summaries(*(np.concatenate(pair) for pair in zip(self._kept.columns, unseen.columns, strict=True)))
        self._free += range(size + grown - 1, size - 1, -1)
