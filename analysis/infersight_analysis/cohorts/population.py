"""The requests of both cohorts, and the place of each span in them."""

from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.columns import Scan, codes_of, hash_of
from infersight_analysis.cohorts.question import MARGIN_NS, Question, Slow, during
from infersight_analysis.options import Window

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]
Marks = npt.NDArray[np.uint8]
Numbers32 = npt.NDArray[np.int32]

CLIENT, SERVER, ERROR, MAY_BE_REQUEST, HAS_PARENT, FINISHED, TARGET, BASELINE = (1 << bit for bit in range(8))
"""Marks of a span."""

_NONE: Final = -1


@dataclass(frozen=True)
class Requests:
    """The requests of both cohorts; one element a request.

    Args:
        is_target: whether it belongs to the target; else to the baseline.
        duration_ns: how long it took.
        trace: hash of its trace id.
        considered: how many requests the filters left, of which some may be in neither cohort.
        both: how many met both conditions; they count as target.
        threshold_ns: the least duration that counts as slow, where that makes the cohorts.
    """

    is_target: Flags
    duration_ns: Rows
    trace: Hashes
    considered: int
    both: int
    threshold_ns: int | None

    def __len__(self) -> int:
        return len(self.is_target)

    @property
    def counts(self) -> tuple[int, int]:
        """How many there are in target and baseline."""
        target = int(np.count_nonzero(self.is_target))
        return target, len(self) - target


@dataclass(frozen=True)
class Population:
    """Both cohorts and the spans of their traces.

    Args:
        requests: the requests.
        scan: reads columns of the spans.
        scanned: how many rows it has.
        rows: places of the spans of these traces among the rows of the scan, ascending.
        request: number of the request in the trace of each of these spans.
        top: which of these spans is the request, by its number.
        start_ns: start of each of these spans.
        marks: marks of each of these spans.
    """

    requests: Requests
    scan: Scan
    scanned: int
    rows: Numbers32
    request: Numbers32
    top: Rows
    start_ns: Rows
    marks: Marks

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, question: Question) -> "Population":
        """Find the requests, and the spans that are in their traces.

        Args:
            connection: from `connect`.
            question: `Question.checked`.

        Raises:
            duckdb.Error: a condition cannot be evaluated.
        """
        scan = Scan(connection, "spans", " and ".join(during(_reach(connection, question.window))) or "true")
        of_trace, start_ns, duration_ns, marks = scan.read(
            hash_of("trace_id"), "start_time_ns", "greatest(coalesce(duration_ns, 0), 0)", _marks(question)
        )
        trace, hashes = codes_of(of_trace)
        del of_trace
        first = _first_of_traces(trace, start_ns, duration_ns, marks, len(hashes))
        chosen, requests = _cohorts(question, marks[first], duration_ns[first], hashes[trace[first]])
        first = first[chosen]
        number = np.full(len(hashes), _NONE, np.int32)
        number[trace[first]] = np.arange(len(first), dtype=np.int32)
        request = number[trace]
        rows = np.flatnonzero(request != _NONE)
        narrow, scanned, places = _narrowed(scan, start_ns, rows)
        return cls(
            requests=requests,
            scan=narrow,
            scanned=scanned,
            rows=places,
            request=request[rows],
            top=np.searchsorted(rows, first),
            start_ns=start_ns[rows],
            marks=marks[rows],
        )

    @property
    def between_ns(self) -> tuple[int, int]:
        """When the first span of the requests starts, and when the last request has ended, or a span begun."""
        ends = self.start_ns[self.top] + self.requests.duration_ns
        return int(self.start_ns.min()), max(int(self.start_ns.max()), int(ends.max()))

    def read(self, *expressions: str) -> tuple[npt.NDArray[Any], ...]:
        """One value for each span of each of these expressions, which are never null."""
        columns = self.scan.read(*expressions)
        return tuple(column if len(column) == len(self.rows) else column[self.rows] for column in columns)


def _reach(connection: duckdb.DuckDBPyConnection, window: Window) -> Window:
    """The window with as much time around it as the traces that lie across its edges take, up to `MARGIN_NS`.

    The hours around it may have several times as many spans, of which hardly any belong to the requests.
    """

    def outermost(column: str, edge_ns: int | None) -> int | None:
        across = f"start_time_ns < {edge_ns} and end_time_ns >= {edge_ns}"
        row = connection.execute(f"select {column} from traces where {across}").fetchone() if edge_ns else None  # noqa: S608
        return row[0] if row else None

    first, last = outermost("min(start_time_ns)", window.start_ns), outermost("max(end_time_ns)", window.end_ns)
    start_ns = window.start_ns if first is None else max(first, (window.start_ns or 0) - MARGIN_NS)
    end_ns = window.end_ns if last is None else min(last + 1, (window.end_ns or 0) + MARGIN_NS)
    return Window(start_ns, end_ns)


def _marks(question: Question) -> str:
    """SQL of a span's marks."""
    conditions = {
        CLIENT: "kind = 'CLIENT'",
        SERVER: "kind = 'SERVER'",
        ERROR: "status_code = 'ERROR'",
        MAY_BE_REQUEST: question.is_request,
        HAS_PARENT: "parent_span_id is not null",
        FINISHED: "end_time_ns is not null",
    }
    for mark, condition in ((TARGET, question.target), (BASELINE, question.baseline)):
        if isinstance(condition, str):
            conditions[mark] = f"case when {question.is_request} then ({condition}) end"
    marks = (f"if({condition}, {mark}, 0)" for mark, condition in conditions.items())
    return f"({' + '.join(marks)})::utinyint"


def _first_of_traces(trace: Numbers32, start_ns: Rows, duration_ns: Rows, marks: Marks, count: int) -> Rows:
    """Of each trace with any the row of its request: the first that may be one, of equal ones the longest, the root."""
    rows = np.flatnonzero(marks & MAY_BE_REQUEST)
    for column in (start_ns, -duration_ns, marks & HAS_PARENT):
        values = column[rows].astype(np.int64)
        least = np.full(count, np.iinfo(np.int64).max)
        np.minimum.at(least, trace[rows], values)
        rows = rows[values == least[trace[rows]]]
    _, at = np.unique(trace[rows], return_index=True)
    return np.sort(rows[at])  # requests that follow one another are read near one another


def _cohorts(question: Question, marks: Marks, duration_ns: Rows, trace: Hashes) -> tuple[Rows, Requests]:
    """Which of the requests that the filters leave are in a cohort, and those."""
    threshold_ns = None
    if isinstance(question.target, Slow):
        slow = question.target
        threshold_ns = slow.over_ns
        if slow.share is not None and len(duration_ns):
            threshold_ns = int(np.ceil(np.quantile(duration_ns, slow.share)))
        is_target = duration_ns >= threshold_ns
    else:
        is_target = (marks & TARGET) > 0
    is_baseline = ~is_target if question.baseline is None else (marks & BASELINE) > 0
    chosen = np.flatnonzero(is_target | is_baseline)
    requests = Requests(
        is_target=is_target[chosen],
        duration_ns=duration_ns[chosen],
        trace=trace[chosen],
        considered=len(duration_ns),
        both=int(np.count_nonzero(is_target & is_baseline)),
        threshold_ns=threshold_ns,
    )
    return chosen, requests


def _narrowed(scan: Scan, start_ns: Rows, rows: Rows) -> tuple[Scan, int, Numbers32]:
    """A scan of no more time than these rows take, how many rows it has, and the place of each of these in it."""
    if not len(rows):
        return scan, len(start_ns), rows.astype(np.int32)
    low, high = int(start_ns[rows].min()), int(start_ns[rows].max())
    inside = (start_ns >= low) & (start_ns <= high)
    if inside.all():
        return scan, len(start_ns), rows.astype(np.int32)
    narrow = Scan(scan.connection, scan.view, f"start_time_ns between {low} and {high}")
    return narrow, int(np.count_nonzero(inside)), (np.cumsum(inside) - 1)[rows].astype(np.int32)
