# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# (pyarrow publishes no type information)
"""Tables of predictions as arrays, whatever types their columns have."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.attributes import NAMES
from infersight_analysis.cohorts.columns import Column
from infersight_analysis.errors import AnalysisError
from infersight_analysis.quality.predictions import INPUT, Codes, Feature, Numbers, Origin, Predictions, Times
from infersight_analysis.stored import identifier
from infersight_analysis.tabular import Tabular, read_table

OWN: Final = frozenset(
    {"label", "label_true", "confidence", "error_type", "prediction_id", "trace_id", "time", "input"}
)
"""The columns that say what a prediction is; all others tell of its input, and of where it was made."""

_NO_FEATURES: Final = frozenset(
    {f"{INPUT}hash", f"{INPUT}value", "error.type", "entropy", "sample_weight", "time_ns", "attributes_other"}
)
_OUTCOMES: Final = ("infersight.prediction.", "infersight.feedback.", "exception.")


def predictions_of(source: Tabular, origin: Origin | None = None, sql: Mapping[str, str] | None = None) -> Predictions:
    """Predictions of a table.

    Args:
        source: what `tabular.read_table` takes, with the columns `label`, `label_true`, `confidence`, `error_type`,
            `prediction_id`, `trace_id`, `time` (a timestamp, or integer nanoseconds) and `input` where there are such;
            every other column, or member of one, is a feature. A text in `input` is characterised as the SDK does it,
            where the table has no `infersight.input.*` itself.
        origin: where it comes from.
        sql: conditions by column, see `Feature.sql`; the column itself by default.

    Raises:
        AnalysisError: it is no table, or a column of its own name has something else in it.
    """
    table = read_table(source)
    columns = _columns(table)
    classes, label, label_true = _labels(columns.get("label"), columns.get("label_true"), len(table))
    expressions = {name: f"{identifier(name)}{{}}" for name in columns} if sql is None else sql
    features = list(_features(columns, expressions))
    if "input" in columns and not any(each.name.startswith(INPUT) for each in features):
        features += _characterised(_texts(columns["input"]))
    errors = columns.get("error_type")
    confidence, notes = _confidence(columns.get("confidence"), len(table))
    return Predictions(
        classes=classes,
        label=label,
        label_true=label_true,
        confidence=confidence,
        error_type=None if errors is None else _feature("error_type", errors, "error_type"),
        time_ns=_times(columns),
        ids={name: _texts(columns[name]) for name in ("prediction_id", "trace_id", "input") if name in columns},
        features=features,
        origin=origin or Origin("the predictions"),
        notes=notes,
    )


def _columns(table: Any) -> dict[str, Any]:
    """The columns by name; members of a structure, such as exported attributes, are columns of their own."""
    import pyarrow as pa  # noqa: PLC0415

    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    for name, column in list(columns.items()):
        if pa.types.is_struct(column.type):
            del columns[name]
            members = zip((field.name for field in column.type), column.flatten(), strict=True)
            columns = {member: values for member, values in members if member not in columns} | columns
    return columns


def _labels(label: Any, label_true: Any, count: int) -> tuple[list[str], Codes, Codes]:
    """The classes, and the index of each label among them; numbers are equal where they are the same number."""
    import pyarrow as pa  # noqa: PLC0415 - a tenth of a second that only tables need

    given = [each for each in (label, label_true) if each is not None]
    if any(pa.types.is_floating(each.type) for each in given) and all(_is_number(each.type) for each in given):
        label, label_true = (None if each is None else _plain_numbers(each) for each in (label, label_true))
    columns = [pa.nulls(count, pa.string()) if each is None else _texts(each) for each in (label, label_true)]
    encoded = pa.concat_arrays(columns).dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    texts: list[str] = encoded.dictionary.to_pylist()
    order = sorted(range(len(texts)), key=lambda at: _natural(texts[at]))
    rank = np.empty(len(texts) + 1, np.int32)
    rank[order], rank[-1] = np.arange(len(texts)), -1
    return [texts[at] for at in order], rank[codes[:count]], rank[codes[count:]]


def _natural(text: str) -> tuple[int, float, str]:
    """Numbers by their size, before texts."""
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text


def _plain_numbers(column: Any) -> Any:
    """Numbers as texts that are equal where they are; without a fraction where they have none."""
    import pyarrow as pa  # noqa: PLC0415

    numbers = [None if value is None else float(value) for value in column.to_pylist()]
    texts = [None if each is None else str(int(each)) if each.is_integer() else repr(each) for each in numbers]
    return pa.array(texts, pa.string())


def _texts(column: Any) -> Any:
    """A column as text; an extension type, such as JSON, as what it is stored as."""
    import pyarrow as pa  # noqa: PLC0415

    column = getattr(column, "storage", column)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        return column.cast(pa.string())
    except pa.ArrowException as error:
        raise AnalysisError(f"a column of {column.type} is no text: {' '.join(str(error).split())}") from error


def _confidence(column: Any, count: int) -> tuple[Numbers, tuple[str, ...]]:
    """The confidences, and what is to be said of those that are none."""
    if column is None:
        return np.full(count, np.nan), ()
    if not _is_number(column.type) and column.null_count < len(column):
        raise AnalysisError(f"confidence must be a number between 0 and 1, not {column.type}")
    found = _numbers(column)
    outside = (found < 0) | (found > 1)
    if not outside.any():
        return found, ()
    some = ", ".join(f"{value:g}" for value in np.unique(found[outside])[:3].tolist())
    note = f"{np.count_nonzero(outside):,} confidences are not between 0 and 1 and count as unknown, such as {some}"
    return np.where(outside, np.nan, found), (note,)


def _times(columns: Mapping[str, Any]) -> Times | None:
    """Nanoseconds since the epoch; None where some have no time."""
    import pyarrow as pa  # noqa: PLC0415

    column = columns.get("time", columns.get("time_ns"))
    if column is None:
        return None
    try:
        column = column.cast(pa.timestamp("ns")) if _is_text(column.type) else column
    except pa.ArrowException as error:
        raise AnalysisError(f"time must be ISO 8601: {' '.join(str(error).split())}") from error
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ns", column.type.tz), safe=False).cast(pa.int64())
    if column.null_count or not pa.types.is_integer(column.type):
        return None
    times: Times = column.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return times


def _features(columns: Mapping[str, Any], sql: Mapping[str, str]) -> Iterator[Feature]:
    """The columns that tell of the input, and of where it was predicted; values before numbers."""
    found: list[Feature] = []
    for name, column in columns.items():
        if name in OWN or name in _NO_FEATURES or name.startswith(_OUTCOMES) or column.null_count == len(column):
            continue
        feature = _feature(name, column, sql.get(name))
        if feature is not None and len(feature.column.rows):
            found.append(feature)
    yield from sorted(found, key=lambda each: (not each.name.startswith(INPUT), each.is_number, each.name))


def _feature(name: str, column: Any, sql: str | None) -> Feature | None:
    import pyarrow as pa  # noqa: PLC0415

    column = getattr(column, "storage", column)
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return replace(_of_texts(name, _texts(column.flatten()), _parents(column), None), many=True)
    if _is_number(kind) and not name.endswith(NAMES):
        return Feature(name, Column.of(_numbers(column)), None, sql)
    if pa.types.is_boolean(kind) or _is_number(kind) or _is_text(kind) or pa.types.is_dictionary(kind):
        return _of_texts(name, _texts(column), np.arange(len(column)), sql)
    return None  # times, bytes, structures: nothing that a slice could be named by


def _parents(column: Any) -> npt.NDArray[np.int64]:
    import pyarrow.compute as pc  # noqa: PLC0415

    rows: npt.NDArray[np.int64] = pc.list_parent_indices(column).to_numpy(zero_copy_only=False)
    return rows


def _of_texts(name: str, texts: Any, rows: npt.NDArray[np.int64], sql: str | None) -> Feature:
    encoded = texts.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    known = np.flatnonzero(codes >= 0)
    column = Column(rows[known].astype(np.int32), codes[known].astype(np.uint64))
    return Feature(name, column, encoded.dictionary.to_pylist(), sql)


def _is_number(kind: Any) -> bool:
    import pyarrow as pa  # noqa: PLC0415

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _is_text(kind: Any) -> bool:
    import pyarrow as pa  # noqa: PLC0415

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _numbers(column: Any) -> Numbers:
    import pyarrow as pa  # noqa: PLC0415

    numbers: Numbers = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _characterised(inputs: Any) -> list[Feature]:
    """What the SDK would have said of inputs that are texts."""
    import pyarrow as pa  # noqa: PLC0415

    from infersight._characterise import characterise  # noqa: PLC0415 - only where a table has the inputs themselves

    said = [characterise(text) if text is not None else {} for text in inputs.to_pylist()]
    keys = sorted({key for each in said for key in each})
    columns = {key: pa.array([each.get(key) for each in said]) for key in keys}
    return list(_features(columns, {}))
