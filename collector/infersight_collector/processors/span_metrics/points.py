"""Data points and exemplars in the layout of the tables `metrics` and `exemplars`."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.processors.span_metrics.histograms import Observed
from infersight_collector.processors.trace_ids import Hashes
from infersight_collector.store.schema import COLUMNS

Ints = npt.NDArray[np.int64]

SCOPE: Final = "infersight.spanmetrics"
"""Instrumentation scope of the metrics, by which they can be told from those that arrived."""

_RESOURCE: Final = {"service.name": "service_name", "service.version": "service_version"}


@dataclass(frozen=True, slots=True)
class Points:
    """What the data points of a batch have in common, whatever is measured.

    Attributes:
        attributes: the dimensions of each point, a STRUCT `[points]`.
        start: beginning of each point's interval in nanoseconds since the epoch, int64 `[points]`.
        end: the end of the interval, likewise.
    """

    attributes: pa.StructArray
    start: Ints
    end: Ints

    def metric(self, name: str, kind: str, unit: str | None, values: Mapping[str, Any]) -> pa.Table:
        """One metric's rows of the table `metrics`; its values are of the time since `start` (delta)."""
        size = len(self.start)
        texts = {"name": name, "unit": unit, "type": kind, "temporality": "DELTA"}
        columns = {column: _repeated(text, size) for column, text in texts.items()}
        times = {"start_time_ns": pa.array(self.start), "time_ns": pa.array(self.end)}
        attributes = {"attributes": self.attributes}
        return _table("metrics", {**columns, **times, **values, **self._source(), **attributes}, size)

    def exemplars(self, name: str, kind: str, point: Ints, values: Mapping[str, Any]) -> pa.Table:
        """Rows of the table `exemplars`, each of one point, int64 `[exemplars]`."""
        size = len(point)
        at = pa.array(point)
        texts = {"metric_name": name, "metric_type": kind}
        columns = {column: _repeated(text, size) for column, text in texts.items()}
        own = {"point_time_ns": pa.array(self.end[point]), "point_attributes": self.attributes.take(at)}
        source = {column: array.take(at) for column, array in self._source().items()}
        return _table("exemplars", {**columns, **values, **own, **source}, size)

    def _source(self) -> dict[str, Any]:
        """The columns that say whose metrics they are: the service and its version."""
        values = {key: pc.struct_field(self.attributes, [key]) for key in _RESOURCE}
        return {
            **{column: values[key] for key, column in _RESOURCE.items()},
            "resource_attributes": pa.StructArray.from_arrays(list(values.values()), names=list(values)),
            "scope_name": _repeated(SCOPE, len(self.start)),
        }


def choose(observed: Observed, hashes: Hashes, has_trace: Any, most: int) -> Ints:
    """The values that are shown as exemplars: of each point the largest, then those of the smallest hashes.

    Args:
        observed: the values.
        hashes: the trace of each value.
        has_trace: whether it has one, bool `[values]`; others are no exemplars.
        most: for one point.

    Returns:
        positions among the values, ascending.
    """
    left = np.flatnonzero(has_trace)
    chosen: list[Ints] = []
    order = -observed.value
    for _ in range(most):
        if not len(left):
            break
        winners = _first_by(order[left], observed.point[left], observed.points)
        chosen.append(left[winners])
        left = np.delete(left, winners)
        order = hashes.astype(np.float64)
    return np.sort(np.concatenate(chosen)) if chosen else left


def _first_by(order: npt.NDArray[np.float64], point: Ints, points: int) -> Ints:
    """For each point that has a value the position of the smallest one, the first of several."""
    smallest = np.full(points, np.inf)
    np.minimum.at(smallest, point, order)
    candidates = np.flatnonzero(order == smallest[point])
    winner = np.full(points, -1)
    winner[point[candidates][::-1]] = candidates[::-1]
    return winner[winner >= 0]


def _repeated(text: str | None, rows: int) -> Any:
    # Without the type, pyarrow would look for pandas each time, which takes 0.1 ms.
    return pa.repeat(pa.scalar(text, pa.string()), rows)


def _table(name: str, columns: Mapping[str, Any], rows: int) -> pa.Table:
    """A table with the given columns, the others of the layout null."""
    schema = COLUMNS[name]
    fixed = {field.name: columns.get(field.name, pa.nulls(rows, field.type)) for field in schema}
    others = {column: values for column, values in columns.items() if column not in fixed}
    fields = [*schema, *(pa.field(column, values.type) for column, values in others.items())]
    return pa.Table.from_arrays([*fixed.values(), *others.values()], schema=pa.schema(fields))
