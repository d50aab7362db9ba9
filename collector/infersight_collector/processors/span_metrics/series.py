"""Series: the different combinations of dimensions among spans, and which one each span belongs to."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.processors.attribute_values import values_of

Ints = npt.NDArray[np.int64]

OVERFLOW: Final = "otel.metric.overflow"
"""The attribute that marks the series of what is beyond the limit, as in OpenTelemetry's metrics SDKs."""

_COLUMNS: Final = {
    "service.name": "service_name",
    "service.version": "service_version",
    "span.name": "name",
    "span.kind": "kind",
    "status.code": "status_code",
}
"""Dimensions that are columns of a span."""

_PREFIXES: Final = {"span.kind": "SPAN_KIND_", "status.code": "STATUS_CODE_"}
"""What the values of a dimension begin with, as OpenTelemetry's connector writes them."""

DEFAULT_DIMENSIONS: Final = (*_COLUMNS, "http.route", "infersight.model.name", "infersight.model.version")


@dataclass
class Dimension:
    """A dimension beside the default ones.

    Attributes:
        name: an attribute of the span, or else of its resource.
        default: the value of spans that have none; without it they have no such dimension.
    """

    name: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Groups:
    """Rows that are divided into groups.

    Attributes:
        group: the group of each row, int64 `[rows]`.
        first: the first row of each group, int64 `[groups]`.
    """

    group: Ints
    first: Ints

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True, slots=True)
class Series:
    """The series of spans.

    Attributes:
        series: the series of each span, int64 `[spans]`.
        attributes: the dimensions of each series, a STRUCT `[series]`.
    """

    series: Ints
    attributes: pa.StructArray


def series_of(spans: pa.Table, dimensions: Sequence[Dimension], limit: int) -> Series:
    """The series that spans belong to.

    Args:
        spans: in one chunk, at least one.
        dimensions: those beside the default ones.
        limit: most series, 0 for any number; the spans of the others, which have the fewest, share one more series.
    """
    columns = _dimension_columns(spans, dimensions)
    groups = group_by(columns.values())
    names = {name: _spelled(name, values.take(pa.array(groups.first))) for name, values in columns.items()}
    if limit and len(groups) > limit:
        return _with_overflow(groups, names, limit)
    return Series(groups.group, pa.StructArray.from_arrays(list(names.values()), names=list(names)))


def group_by(columns: Iterable[Any]) -> Groups:
    """Groups the rows that are equal in all of several Arrow arrays; null equals null."""
    found: Any = 0
    combinations = 1
    for column in columns:
        encoded = column.dictionary_encode()
        different = len(encoded.dictionary) + 1
        if combinations * different >= 2**63:
            dense = pa.array(found).dictionary_encode()
            combinations, found = len(dense.dictionary), dense.indices.to_numpy().astype(np.int64)
        codes = pc.fill_null(encoded.indices, different - 1).to_numpy(zero_copy_only=False)
        combinations, found = combinations * different, found * different + codes.astype(np.int64)
    encoded = pa.array(found).dictionary_encode()
    group = encoded.indices.to_numpy().astype(np.int64)
    first = np.empty(len(encoded.dictionary), np.int64)
    first[group[::-1]] = np.arange(len(group))[::-1]
    return Groups(group, first)


def _dimension_columns(spans: pa.Table, dimensions: Sequence[Dimension]) -> dict[str, Any]:
    columns = {name: spans.column(column).chunk(0) for name, column in _COLUMNS.items()}
    for dimension in (*(Dimension(name) for name in DEFAULT_DIMENSIONS), *dimensions):
        if dimension.name not in columns and (found := _values(spans, dimension)) is not None:
            columns[dimension.name] = found
    return columns


def _values(spans: pa.Table, dimension: Dimension) -> Any:
    """The values of a dimension, null where it has none; None where no span has any.

    They have the type of the attribute, or are text where the attributes of spans and resources, and the default,
    have different types.
    """
    found = [values for values in values_of(spans, dimension.name) if not pa.types.is_binary(values.type)]
    if dimension.default is not None:
        found.append(pa.repeat(pa.scalar(dimension.default, pa.string()), spans.num_rows))
    if not found:
        return None
    if len({str(values.type) for values in found}) > 1:
        found = [values.cast(pa.string()) for values in found]
    return pc.coalesce(*found)


def _spelled(name: str, values: Any) -> Any:
    prefix = _PREFIXES.get(name)
    if prefix is None:
        return values
    return pc.binary_join_element_wise(pa.scalar(prefix, pa.string()), values, pa.scalar("", pa.string()))


def _with_overflow(groups: Groups, columns: Mapping[str, Any], limit: int) -> Series:
    """The largest series, and a last one for the spans of the others."""
    by_size = np.argsort(-np.bincount(groups.group), kind="stable")
    kept = np.sort(by_size[:limit])
    series = np.full(len(groups), limit, np.int64)
    series[kept] = np.arange(limit)
    index = pa.array(np.append(kept, 0), mask=np.arange(limit + 1) == limit)
    overflow = pa.array(np.ones(limit + 1, np.bool_), mask=np.arange(limit + 1) < limit)
    taken = {name: values.take(index) for name, values in columns.items()}
    return Series(
        series[groups.group], pa.StructArray.from_arrays([*taken.values(), overflow], names=[*taken, OVERFLOW])
    )
