"""The spans of an incident and its baseline, in their trees."""

from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from infersight_analysis.forest import Flags, Forest, Rows, Spans
from infersight_analysis.rootcause.question import Question
from infersight_analysis.rootcause.reading import Texts, instance_of, read


@dataclass(frozen=True)
class SpanTable:
    """The spans of the incident and its baseline; one element a span, in the order of `forest.Spans`.

    Args:
        trace_id: its trace.
        span: hash of its id and its trace's.
        start_ns: when it started.
        service: its service.
        instance: its instance; empty where nothing tells it.
        version: its service's version; empty where nothing tells it.
        name: its name.
        error_type: the type of its exception or error; empty without one.
        is_error: whether it failed.
        is_client: whether it called.
        is_server: whether it was called.
        forest: the trees.
    """

    trace_id: Texts
    span: npt.NDArray[np.uint64]
    start_ns: Rows
    service: Texts
    instance: Texts
    version: Texts
    name: Texts
    error_type: Texts
    is_error: Flags
    is_client: Flags
    is_server: Flags
    forest: Forest

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection, question: Question, one_in: int) -> "SpanTable":
        """Read the spans of one in so many traces."""
        columns = _in_order(
            read(connection, "spans", question, one_in=one_in, instance=instance_of(connection, "spans"))
        )
        kind: Texts = columns["kind"]
        trace_id, service, instance = columns["trace_id"], columns["service"], columns["instance"]
        is_client, is_server = kind.is_one_of("CLIENT", "PRODUCER"), kind.is_one_of("SERVER", "CONSUMER")
        spans = Spans(
            trace=trace_id.codes,
            span_id=columns["span"],
            parent_id=columns["parent"],
            start_ns=columns["start_time_ns"],
            end_ns=columns["end_time_ns"],
            is_finished=columns["end_time_ns"] != 0,
            process=service.codes * (len(instance.values) + 1) + instance.codes,
            is_client=is_client,
            is_server=is_server,
            is_error=columns["is_error"],
        )
        return cls(
            trace_id=trace_id,
            span=columns["span"],
            start_ns=columns["start_time_ns"],
            service=service,
            instance=instance,
            version=columns["version"],
            name=columns["name"],
            error_type=columns["error_type"],
            is_error=columns["is_error"],
            is_client=is_client,
            is_server=is_server,
            forest=Forest.of(spans),
        )


def _in_order(columns: dict[str, Any]) -> dict[str, Any]:
    """The columns in the order of `forest.Spans`, each span once however often it was sent."""
    keys = (columns["span"], -columns["end_time_ns"], columns["start_time_ns"], columns["trace_id"].codes)
    order = np.lexsort(keys)
    repeated = np.zeros(len(order), np.bool_)
    repeated[1:] = columns["span"][order][1:] == columns["span"][order][:-1]
    rows = order[~repeated]
    return {name: values.at(rows) if isinstance(values, Texts) else values[rows] for name, values in columns.items()}
