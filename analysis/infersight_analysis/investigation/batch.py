"""The batches that a request rode in: who shared them, why they were released, and what padded them."""

from collections.abc import Mapping
from typing import Any

import duckdb

from infersight_analysis.findings import BatchMember, BatchRide
from infersight_analysis.investigation.pieces import nanoseconds
from infersight_analysis.reading import OPERATION, query, read_spans
from infersight_analysis.times import SECOND_NS
from infersight_analysis.trace import Node, Span

_AROUND_NS = 120 * SECOND_NS


def batches_of(connection: duckdb.DuckDBPyConnection, trace_id: str, request: Node) -> list[BatchRide]:
    """The batches that the request's spans link to, the longest first; none where it waited for none."""
    if not any(node.span.attributes.get(OPERATION) in ("queue", "batched") for node in request.below()):
        return []
    around = (request.span.start_ns - _AROUND_NS, request.span.start_ns + request.duration_ns + _AROUND_NS)
    values = {"trace_id": trace_id, "from_ns": around[0], "until_ns": around[1]}
    links: list[tuple[str, str]] = connection.execute(query("links_of_trace"), values).fetchall()
    traces = read_spans(connection, [trace for trace, _ in links], between_ns=around, attributes=True) if links else {}
    rides = [
        _ride(batch, traces[batch_trace], _members(connection, (batch_trace, span_id), around), (batch_trace, trace_id))
        for batch_trace, span_id in links
        for batch in traces.get(batch_trace, ())
        if batch.span_id == span_id
    ]
    return sorted(rides, key=lambda ride: -ride.duration_ns)


def _members(
    connection: duckdb.DuckDBPyConnection, batch: tuple[str, str], around: tuple[int, int]
) -> list[BatchMember]:
    values = {"batch_trace_id": batch[0], "batch_span_id": batch[1], "from_ns": around[0], "until_ns": around[1]}
    return [BatchMember(*row) for row in connection.execute(query("members_of_batch"), values).fetchall()]


def _ride(batch: Span, spans: list[Span], members: list[BatchMember], traces: tuple[str, str]) -> BatchRide:
    batch_trace, trace_id = traces
    own = next((member for member in members if member.trace_id == trace_id), None)
    forwards = _top_forwards(spans)
    on_device = [span.attributes["infersight.device.duration"] for span in forwards if _has_device(span.attributes)]
    ran = [cpu for span in forwards if (cpu := span.attributes.get("infersight.cpu.duration")) is not None]
    return BatchRide(
        name=batch.name,
        trace_id=batch_trace,
        span_id=batch.span_id,
        duration_ns=_duration(batch),
        release_reason=_text(batch.attributes.get("infersight.batch.release_reason")),
        fill=_number(batch.attributes.get("infersight.batch.fill")),
        queue_ns=own.queue_ns if own else None,
        share=own.share if own else None,
        item_size=own.size if own else None,
        largest_size=_number(batch.attributes.get("infersight.batch.largest.size")),
        forward_ns=sum(map(_duration, forwards)) if forwards else None,
        device_ns=sum(map(nanoseconds, on_device)) if on_device else None,
        cpu_ns=sum(map(nanoseconds, ran)) if ran else None,
        members=members,
    )


def _top_forwards(spans: list[Span]) -> list[Span]:
    """The forward calls that are in no other one."""
    forwards = {span.span_id: span for span in spans if span.attributes.get(OPERATION) == "forward"}
    return [span for span in forwards.values() if span.parent_id not in forwards]


def _duration(span: Span) -> int:
    return max(0, (span.end_ns or span.start_ns) - span.start_ns)


def _has_device(attributes: Mapping[str, Any]) -> bool:
    return "infersight.device.duration" in attributes


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _text(value: object) -> str | None:
    return None if value is None else str(value)
