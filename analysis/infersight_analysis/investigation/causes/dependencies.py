"""What the request called: slow, called too often, or called again after it failed."""

from statistics import median
from typing import Final

from infersight_analysis.breakdown import Operation
from infersight_analysis.findings import Evidence, Hypothesis, Piece, RepeatedCalls
from infersight_analysis.investigation.case import Case, excess_of
from infersight_analysis.investigation.pieces import DEPENDENCY
from infersight_analysis.stored import literal
from infersight_analysis.times import short_duration

_SURE_SLOW: Final = 0.85
_SURE_MANY: Final = 0.92
_SURE_RETRIED: Final = 0.93
_SURE_TIMED_OUT: Final = 0.88

_MANY: Final = 6
_TIMES_MORE: Final = 3.0
"""At least so many calls, and so many times as many as normal, are N+1 calls."""


def slow_dependency(case: Case) -> list[Hypothesis]:
    """Calls that each took longer than normal."""
    slower = [(piece, _slower_ns(case, piece)) for piece in case.pieces_of(DEPENDENCY)]
    explained = sum(excess for _, excess in slower) - sum(calls.retried_ns for calls in case.calls)
    if not slower or not case.is_worth_naming(explained):
        return []
    piece = max(slower, key=lambda found: found[1])[0]
    supporting = [f"{calls.failed} of its calls failed" for calls in case.calls if calls.failed][:1]
    return [
        case.hypothesis(
            "slow_dependency",
            explained,
            sure=_SURE_SLOW,
            statement=case.compared(piece),
            evidence=case.piece_evidence(piece),
            supporting=supporting,
        )
    ]


def n_plus_one(case: Case) -> list[Hypothesis]:
    """Many calls of one kind from one place, where others make few."""
    found = [calls for calls in case.calls if _is_many(calls) and calls.failed < calls.count / 2]
    if not found:
        return []
    calls = found[0]
    usual = calls.baseline_count or 0
    explained = min(case.excess_ns, calls.duration_ns * (1 - usual / calls.count), case.excess_in(DEPENDENCY))
    if not case.is_worth_naming(explained):
        return []
    normal = "" if calls.baseline_count is None else f", normally {calls.baseline_count:g}"
    each = short_duration(calls.duration_ns / calls.count)
    statement = f"{calls.count} calls of {calls.name} from one place{normal}, {each} each"
    of_calls = f"trace_id = {literal(case.trace_id)} and name = {literal(calls.name)}"
    sql = f"select count(*), sum(duration_ns) from spans where {of_calls}"  # noqa: S608 - quoted
    numbers = {"calls": calls.count, "baseline": calls.baseline_count, "duration_ns": calls.duration_ns}
    return [
        case.hypothesis(
            "n_plus_one",
            explained,
            sure=_SURE_MANY,
            statement=statement,
            evidence=Evidence([case.trace_id], [sql], numbers),
            supporting=[f"they took {short_duration(calls.duration_ns)} together"],
        )
    ]


def retries(case: Case) -> list[Hypothesis]:
    """Failed calls were made again, or waited for until they timed out."""
    retried = [calls for calls in case.calls if calls.retried_ns]
    if retried:
        calls = max(retried, key=lambda calls: calls.retried_ns)
        explained = float(sum(calls.retried_ns for calls in retried))
        statement = (
            f"{calls.name} was called {calls.count} times, {calls.failed} of them failed"
            f"{_error(calls)}: {short_duration(calls.retried_ns)} until the last attempt"
        )
    else:
        timed_out = [calls for calls in case.calls if calls.timed_out]
        if not timed_out:
            return []
        calls = timed_out[0]
        explained = float(calls.duration_ns)
        statement = f"{calls.name} timed out after {short_duration(calls.duration_ns)}{_error(calls)}"
    if not case.is_worth_naming(explained):
        return []
    of_calls = f"trace_id = {literal(case.trace_id)} and name = {literal(calls.name)}"
    sql = f"select start_time, duration_ns, status_code from spans where {of_calls} order by start_time"  # noqa: S608 - quoted
    numbers = {"calls": calls.count, "failed": calls.failed, "retried_ns": calls.retried_ns}
    return [
        case.hypothesis(
            "retries",
            min(explained, case.excess_ns),
            sure=_SURE_RETRIED if retried else _SURE_TIMED_OUT,
            statement=statement,
            evidence=Evidence([case.trace_id], [sql], numbers),
        )
    ]


def _is_many(calls: RepeatedCalls) -> bool:
    return calls.count >= max(_MANY, _TIMES_MORE * (calls.baseline_count or 0))


def _slower_ns(case: Case, piece: Piece) -> float:
    """The excess of a piece that is not for being called more often."""
    excess = excess_of(piece)
    operation = Operation(piece.service, piece.name, piece.kind)
    counts = [other.calls.get(operation, 0) for other in case.baseline.anatomies]
    usual = median(counts) if counts else 0
    if not usual or not piece.baseline_ns or piece.calls <= usual:
        is_many = any(_is_many(calls) and calls.name == piece.name for calls in case.calls)
        return 0.0 if is_many else float(excess)
    each = piece.baseline_ns / usual
    return max(0.0, piece.self_ns - piece.calls * each)


def _error(calls: RepeatedCalls) -> str:
    return f" ({calls.error})" if calls.error else ""
