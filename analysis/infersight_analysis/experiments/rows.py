# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow publishes no type information)
"""An experiment out of a table: a file, a data frame, rows in Python; a row is an exposure."""

from collections.abc import Iterator
from typing import Any, Final

import duckdb
import numpy as np

from infersight_analysis.errors import AnalysisError
from infersight_analysis.experiments.arrow import integers_of, labels_of, numbers_of
from infersight_analysis.experiments.metrics import Metric
from infersight_analysis.experiments.observations import NONE, Labels, Numbers, Observations, Outcome
from infersight_analysis.experiments.question import Question
from infersight_analysis.stored import identifier, literal
from infersight_analysis.tabular import Tabular, read_table

_MOST_VALUES: Final = 20
_NUMBERS: Final = ("DOUBLE", "FLOAT", "DECIMAL", "INT", "UINT", "BIGINT", "HUGEINT", "SMALLINT", "TINYINT")


def tabulated(source: Tabular, question: Question) -> Observations:
    """What a table has about an experiment.

    Args:
        source: see `tabular.read_table`.
        question: the experiment; its names are columns, and filters of requests do not apply.

    Raises:
        AnalysisError: it is no table, or a column is missing or not what it should be.
    """
    read = read_table(source)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("given", read)
        types = {name: str(kind) for name, kind, *_ in connection.execute("describe given").fetchall()}
        _check(question, types)
        segments = _segments(connection, question, types)
        try:
            table: Any = connection.sql(_query(question, types, segments)).to_arrow_table()
        except duckdb.Error as error:
            raise AnalysisError(" ".join(str(error).split("\n\nLINE ")[0].split())) from error
    if not table.num_rows:
        raise AnalysisError(f"no row has {_needed(question)}")
    return _observations(table, question, segments, read.num_rows, with_time=question.time is not None)


def _columns(question: Question) -> Iterator[str]:
    yield from (each for each in (question.variant, question.unit, question.time) if each is not None)
    yield from question.segments
    yield from question.covariates.values()


def _check(question: Question, types: dict[str, str]) -> None:
    missing = [name for name in _columns(question) if name not in types]
    for metric in question.metrics:
        missing += [name for name in (metric.value, metric.divisor) if name and _column(name, types) not in types]
    if missing:
        raise AnalysisError(f"no column {missing[0]!r}; there are {', '.join(types)}")


def _column(name: str, types: dict[str, str]) -> str:
    """The column that a value is of: `label=positive` is one of `label`."""
    return name if name in types else name.partition("=")[0]


def _value(name: str, types: dict[str, str]) -> str:
    column = _column(name, types)
    if column != name:
        return f"({identifier(column)}::varchar = {literal(name.partition('=')[2])})::double"
    # Yes and no, which a CSV file has as words, are 1 and 0.
    return f"coalesce(try_cast({identifier(name)} as double), try_cast({identifier(name)} as boolean)::double)"


def _segments(connection: duckdb.DuckDBPyConnection, question: Question, types: dict[str, str]) -> list[str]:
    """Other columns of few values; numbers only where they are asked for."""
    used = {*_columns(question), *question.after} - {*question.segments}
    used |= {_column(name, types) for metric in question.metrics for name in (metric.value, metric.divisor) if name}
    texts = [
        name for name, kind in types.items() if name not in used and not kind.startswith((*_NUMBERS, "TIME", "DATE"))
    ]
    if not texts:
        return list(question.segments)
    counts = ", ".join(f"count(distinct {identifier(name)})" for name in texts)
    counted = connection.execute(f"select {counts} from given").fetchall()[0]  # noqa: S608 - quoted
    few = [name for name, count in zip(texts, counted, strict=True) if 1 < count <= _MOST_VALUES]
    return [*few, *(name for name in question.segments if name not in few)]


def _query(question: Question, types: dict[str, str], segments: list[str]) -> str:
    variant, unit = (None if each is None else identifier(each) for each in (question.variant, question.unit))
    variant = variant or "'all'"
    columns = [
        f"{variant}::varchar as arm",
        f"{unit or 'null'}::varchar as unit",
        f"{_time(question, types)} as time_ns",
    ]
    columns += [f"{identifier(name)}::varchar as s{place}" for place, name in enumerate(segments)]
    columns += [f"{_value(name, types)} as c{place}" for place, name in enumerate(question.covariates.values())]
    for place, metric in enumerate(question.metrics):
        columns.append(f"{_value(metric.value, types)} as v{place}")
        columns.append(f"{_value(metric.divisor, types) if metric.divisor else '1::double'} as d{place}")
    known = f"{variant} is not null and time_ns is not null"
    return f"select {', '.join(columns)} from given where {known} order by time_ns"  # noqa: S608 - quoted


def _needed(question: Question) -> str:
    """What a row must have."""
    return " and ".join(f"a {name}" for name in (question.variant, question.time) if name is not None)


def _time(question: Question, types: dict[str, str]) -> str:
    """Nanoseconds since the epoch, of a number of seconds, or of a time however it is written."""
    if question.time is None:
        return "0::bigint"
    column = identifier(question.time)
    if types[question.time].startswith(_NUMBERS):
        return f"({column} * 1e9)::bigint"
    return f"epoch_ns({column}::timestamptz::timestamp)"


def _observations(table: Any, question: Question, segments: list[str], rows: int, *, with_time: bool) -> Observations:
    arm = labels_of(table["arm"])
    count = table.num_rows
    notes = [f"{count:,} of {rows:,} rows have {_needed(question)}; the others are left out"] if rows > count else []
    unit = _units(table, question, notes)
    return Observations(
        arm=arm.ordered(question.arms(list(arm.names))),
        unit=unit,
        time_ns=integers_of(table["time_ns"]) if with_time else None,
        weight=np.ones(count),
        ids=[],
        segments={name: labels_of(table[f"s{number}"]) for number, name in enumerate(segments)},
        declared=frozenset(question.segments),
        others={},
        outcomes=[_outcome(table, metric, number) for number, metric in enumerate(question.metrics)],
        covariates={
            metric.measured: _of_units(numbers_of(table[f"c{number}"]), unit)
            for number, value in enumerate(question.covariates)
            for metric in question.metrics
            if metric.measured == value
        },
        unit_is=question.unit or "row",
        rows_are="rows",
        notes=notes,
    )


def _units(table: Any, question: Question, notes: list[str]) -> Labels:
    rows = table.num_rows
    itself = Labels(np.arange(rows), tuple(map(str, range(rows))))
    if question.unit is None:
        return itself
    found = labels_of(table["unit"])
    without = int(np.count_nonzero(found.codes == NONE))
    if without:
        notes.append(f"{without:,} of {rows:,} rows have no {question.unit}; each counts as one of its own")
    return found.completed(itself, "row") if without else found


def _outcome(table: Any, metric: Metric, place: int) -> Outcome:
    values, divisors = numbers_of(table[f"v{place}"]), numbers_of(table[f"d{place}"])
    rows = np.flatnonzero(~np.isnan(values) & ~np.isnan(divisors))
    if not len(rows):
        raise AnalysisError(f"no row has a number in {metric.value!r}")
    return Outcome.of(metric, rows, values[rows], divisors[rows])


def _of_units(values: Numbers, unit: Labels) -> Numbers:
    """The mean of each unit's values."""
    known = ~np.isnan(values)
    size = len(unit.names)
    sums = np.bincount(unit.codes[known], values[known], size)
    with np.errstate(invalid="ignore"):
        means: Numbers = sums / np.bincount(unit.codes[known], minlength=size)
    return means
