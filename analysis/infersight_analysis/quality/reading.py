"""Predictions out of a store, and out of a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from infersight_analysis.cohorts.attributes import NAMES
from infersight_analysis.cohorts.question import MARGIN_NS, OUTCOMES
from infersight_analysis.options import Window
from infersight_analysis.quality.predictions import INPUT, Origin, Predictions
from infersight_analysis.quality.tables import OWN, predictions_of
from infersight_analysis.reading import query
from infersight_analysis.stored import identifier, literal
from infersight_analysis.times import iso_time, readable_time

_LISTS: Final = frozenset({f"{INPUT}fields", f"{INPUT}missing"})
_OF_PREDICTIONS, _OF_REQUESTS, _OF_RESOURCES = (
    ("logs", "attributes", "chosen.attributes"),
    ("spans", "attributes", "request.attributes"),
    ("spans", "resource_attributes", "request.resource_attributes"),
)
"""Where features are looked for, in the order of their precedence: table, column, and what that is in the query."""

_COLUMNS: Final = ("service_name", "service_version", "service_instance_id")
_NEVER: Final = OUTCOMES | {"service.name", "service.version", "service.instance.id", "error.type"}


@dataclass(frozen=True)
class Chosen:
    """Which predictions of a store.

    Args:
        service: only of this service.
        model: only of the model of this name.
        version: only of this version of the model.
        window: when they were made.
    """

    service: str | None = None
    model: str | None = None
    version: str | None = None
    window: Window = Window()  # noqa: RUF009 - immutable

    @property
    def conditions(self) -> list[str]:
        """In SQL on the view `predictions`."""
        equal = {"service_name": self.service, "model_name": self.model, "model_version": self.version}
        found = [f"{column} = {literal(value)}" for column, value in equal.items() if value is not None]
        if self.window.start_ns is not None:
            found.append(f"time_ns >= {self.window.start_ns}")
        if self.window.end_ns is not None:
            found.append(f"time_ns < {self.window.end_ns}")
        return found

    @property
    def about(self) -> str:
        """In words."""
        of = [each for each in (self.service, self.model, self.version) if each is not None]
        since, before = self.window.start_ns, self.window.end_ns
        times = [
            "" if time is None else f" {word} {_time(time)}" for word, time in (("from", since), ("before", before))
        ]
        return f"the predictions{' of ' if of else ''}{' '.join(of)}{''.join(times)}"


def _time(time_ns: int) -> str:
    return readable_time(iso_time(time_ns))


def stored_predictions(connection: duckdb.DuckDBPyConnection, chosen: Chosen = Chosen()) -> Predictions:
    """Predictions of a store, with what is known of their inputs, their requests and the processes that made them.

    Args:
        connection: from `connect`; open as far as labels may have arrived, not only to the end of the window.
        chosen: which ones.
    """
    columns, sql = _columns(connection)
    text = query("predictions_with_requests").format(
        chosen=" and ".join(chosen.conditions) or "true",
        columns="".join(f",\n    {expression} as {identifier(name)}" for name, expression in columns.items()),
        margin_ns=MARGIN_NS,
    )
    origin = Origin(chosen.about, "predictions", tuple(chosen.conditions))
    return predictions_of(connection.sql(text).to_arrow_table(), origin, sql)


def file_predictions(path: Path) -> Predictions:
    """Predictions of a file, see `predictions_of`.

    Raises:
        AnalysisError: it cannot be read, or is no table of predictions.
    """
    return predictions_of(path, Origin(f"the predictions in {path.name}", literal(path)))


def _columns(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, str], dict[str, str]]:
    """The columns of features by name: as the query reads them, and as conditions on the view `predictions`."""
    columns: dict[str, str] = {}
    taken = {*OWN, *_COLUMNS}  # names of columns are equal whatever their case
    sql = {name: f"{name}{{}}" for name in _COLUMNS}
    for table, column, where in (_OF_PREDICTIONS, _OF_REQUESTS, _OF_RESOURCES):
        found = connection.execute(
            "select key, type from attribute_keys where table_name = $table and column_name = $column order by key",
            {"table": table, "column": column},
        ).fetchall()
        for key, kind in found:
            if key.lower() in taken or key in _NEVER or (table != "logs" and key.startswith(INPUT)):
                continue
            taken.add(key.lower())
            if key == f"{INPUT}value":
                columns["input"] = f"{where}[{literal(key)}]::varchar"
                continue
            columns[key] = _reading(f"{where}[{literal(key)}]", key, kind)
            plain = f"{column}[{literal(key)}]{{}}"
            if key not in _LISTS:
                sql[key] = plain if table == "logs" else f"trace_id in (select trace_id from spans where {plain})"  # noqa: S608
    return columns, sql


def _reading(expression: str, key: str, kind: str) -> str:
    if key in _LISTS:
        return f"{expression}::varchar[]"
    is_name = key.endswith(NAMES) or kind == "JSON"
    return f"{expression}::varchar" if is_name else expression
