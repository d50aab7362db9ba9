"""What a list of traces has to say about given spans, worked out span by span."""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Span = Mapping[str, Any]


class Summary(NamedTuple):
    """One trace, in the columns of the view `traces` that `QUERY` asks for."""

    trace_id: str | None
    start_time_ns: int | None
    end_time_ns: int | None
    duration_ns: int | None
    root_service: str | None
    root_name: str | None
    status_code: str | None
    sample_weight: float | None
    has_root: bool
    span_count: int
    error_count: int
    services: list[str]


QUERY = f"select {', '.join(Summary._fields)} from traces"


def summaries(spans: Iterable[Span]) -> list[Summary]:
    """The traces of some spans, by id."""
    by_trace: defaultdict[str | None, list[Span]] = defaultdict(list)
    for span in spans:
        by_trace[span["trace_id"]].append(span)
    return ordered(_summary(trace_id, members) for trace_id, members in by_trace.items())


def ordered(found: Iterable[Sequence[Any]]) -> list[Summary]:
    """Rows in the order of their ids."""
    return sorted((Summary(*row) for row in found), key=lambda summary: summary.trace_id or "")


def _summary(trace_id: str | None, spans: Sequence[Span]) -> Summary:
    starts = [span["start_time_ns"] for span in spans if span["start_time_ns"] is not None]
    latest = [span["start_time_ns"] if span["end_time_ns"] is None else span["end_time_ns"] for span in spans]
    ends = [time for time in latest if time is not None]
    start, end = min(starts, default=None), max(ends, default=None)
    root = min(spans, key=_precedence)
    return Summary(
        trace_id,
        start,
        end,
        None if start is None or end is None else end - start,
        root["service_name"],
        root["name"],
        root["status_code"],
        root["sample_weight"],
        root["parent_span_id"] is None,
        len(spans),
        sum(span["status_code"] == "ERROR" for span in spans),
        sorted({span["service_name"] for span in spans} - {None}),
    )


def _precedence(span: Span) -> tuple[bool, *tuple[tuple[bool, Any], ...]]:
    """Who stands for the trace: one without a parent, the first, then the least in what it says; nulls last."""
    names = ("start_time_ns", "service_name", "name", "status_code", "sample_weight")
    values = [span[name] for name in names]
    return (span["parent_span_id"] is not None, *((value is None, "" if value is None else value) for value in values))


def random_spans(chance: random.Random, count: int, times: Sequence[int | None]) -> list[dict[str, Any]]:
    """Spans of few traces, with whatever columns may lack and with many that begin at the same time.

    Args:
        chance: where the choices come from.
        count: number of spans.
        times: starts to choose from, in nanoseconds since the epoch.
    """
    spans: list[dict[str, Any]] = []
    for number in range(count):
        start = chance.choice(times)
        end = chance.choice([None, 1, 2**63 - 1] if start is None else [None, 1, start, start + 5, start + 10**9])
        end = None if end is None else min(end, 2**63 - 1)
        duration = None if start is None or end is None else end - start
        spans.append(
            {
                "trace_id": chance.choice([None, *(f"{trace:032x}" for trace in range(1, 2 + count // 4))]),
                "span_id": f"{number:016x}",
                "parent_span_id": chance.choice([None, "a" * 16, "a" * 16]),
                "start_time_ns": start,
                "end_time_ns": end,
                "duration_ns": duration,
                "service_name": chance.choice([None, "gateway", "model-server", "Zoë", "é"]),
                "name": chance.choice([None, "forward", "POST /predict"]),
                "status_code": chance.choice(["UNSET", "OK", "ERROR", None]),
                "sample_weight": chance.choice([1.0, 0.0, 2.5, None]),
            }
        )
    return spans
