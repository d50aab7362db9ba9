"""What a running collector tells about itself, as one JSON object."""

import os
import time
from collections.abc import Mapping
from typing import Any

from infersight_collector.flush import Flusher
from infersight_collector.journal import Journal
from infersight_collector.pipeline import Graph
from infersight_collector.signals import Signal
from infersight_collector.telemetry import Telemetry, instruments
from infersight_collector.telemetry.instruments import Instrument
from infersight_collector.telemetry.process import resident_bytes

Totals = Mapping[str, Mapping[tuple[str, ...], float]]
"""Sums and gauges by the name of their instrument and the values of its attributes."""


def report(graph: Graph, journal: Journal | None, flusher: Flusher | None, unready: str | None) -> dict[str, Any]:
    """The state at this moment.

    Args:
        graph: the components.
        journal: the log, once it is open.
        flusher: what empties it, once it is there.
        unready: why no telemetry is taken at the moment, or None.

    Returns:
        an object for JSON: numbers are totals since the start, names that end in `_s` are seconds.
    """
    totals = _totals(graph.telemetry)
    return {
        "version": graph.telemetry.resource["service.version"],
        "instance_id": graph.telemetry.resource["service.instance.id"],
        "pid": os.getpid(),
        "uptime_s": time.time() - graph.telemetry.started_ns / 1e9,
        "ready": unready is None,
        "reason": unready,
        "signals": {signal: _signal(signal, totals) for signal in Signal},
        "log": _log(graph, journal, totals),
        "last_flush": _last_flush(flusher),
        "pipelines": {
            name: {
                "receivers": list(pipeline.receivers),
                "processors": list(pipeline.processors),
                "exporters": list(pipeline.exporters),
            }
            for name, pipeline in graph.pipelines.items()
        },
        "exporters": {name: _exporter(name, flusher, totals) for name in graph.exporters},
        "process": {"memory_bytes": resident_bytes(), "cpu_s": time.process_time()},
    }


def _totals(telemetry: Telemetry) -> Totals:
    return {
        instrument.name: {tuple(sample.labels.values()): sample.value for sample in family.samples}
        for instrument, family in telemetry.collect()
        if instrument.kind != "histogram"
    }


def _signal(signal: Signal, totals: Totals) -> dict[str, Any]:
    def of(instrument: Instrument) -> int:
        return int(totals[instrument.name].get((signal,), 0))

    def by_reason(instrument: Instrument) -> dict[str, int]:
        found = totals[instrument.name].items()
        return {reason: int(count) for (of_signal, reason), count in found if of_signal == signal}

    return {
        "accepted_requests": of(instruments.ACCEPTED_REQUESTS),
        "accepted_records": of(instruments.ACCEPTED_RECORDS),
        "accepted_bytes": of(instruments.ACCEPTED_BYTES),
        "refused_requests": by_reason(instruments.REFUSED_REQUESTS),
        "dropped_records": by_reason(instruments.DROPPED_RECORDS),
    }


def _log(graph: Graph, journal: Journal | None, totals: Totals) -> dict[str, Any]:
    place: dict[str, Any] = {"path": str(graph.log.path.absolute())}
    if journal is None:
        return place
    return {
        **place,
        "bytes": journal.waiting_bytes,
        "max_bytes": journal.max_bytes,
        "segments": journal.waiting_segments,
        "oldest_s": journal.oldest_age_s,
        "quarantined_segments": int(sum(totals[instruments.QUARANTINED_SEGMENTS.name].values())),
    }


def _last_flush(flusher: Flusher | None) -> dict[str, float] | None:
    last = flusher.last_flush if flusher is not None else None
    if last is None:
        return None
    return {"ago_s": max(0.0, time.time() - last.at), "duration_s": last.seconds}


def _exporter(name: str, flusher: Flusher | None, totals: Totals) -> dict[str, Any]:
    trouble = flusher.troubles.get(name) if flusher is not None else None
    queue = totals.get(instruments.EXPORTER_QUEUE_SIZE.name, {}).get((name,))
    state: dict[str, Any] = {} if queue is None else {"queue_bytes": int(queue)}
    if (limit := totals.get(instruments.STORE_LIMIT.name, {}).get((name,))) is not None:
        sizes = totals[instruments.STORE_SIZE.name].items()
        state["store_bytes"] = int(sum(size for (exporter, _), size in sizes if exporter == name))
        state["store_max_bytes"] = int(limit)
        state["store_oldest_s"] = totals[instruments.STORE_OLDEST_AGE.name][name,]
    if trouble is None:
        return {"failing": False, **state}
    now = time.monotonic()
    return {
        "failing": True,
        **state,
        "reason": trouble.reason,
        "failing_s": now - trouble.since,
        "retry_s": max(0.0, trouble.retry_at - now),
    }
