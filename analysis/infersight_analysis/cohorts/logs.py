"""What the log records of the requests say: what was logged, how severe it was, and what was predicted."""

from collections.abc import Sequence
from typing import Final

import duckdb
import numpy as np

from infersight_analysis.cohorts.attributes import Attribute
from infersight_analysis.cohorts.candidates import Candidates
from infersight_analysis.cohorts.columns import Scan, codes_of, hash_of
from infersight_analysis.cohorts.places import Places
from infersight_analysis.cohorts.population import Numbers32, Population
from infersight_analysis.cohorts.spans import look_at
from infersight_analysis.times import SECOND_NS

_MARGIN_NS: Final = 60 * SECOND_NS
"""How long before the first and after the last span of the requests they may log."""

_TEMPLATE: Final = "infersight.log.template"

_MASKED: Final = r"regexp_replace(left(body, 500), '\S*\d\S*', '<*>', 'g')"
"""The message without the words that have a digit in them."""

_IS_PREDICTION: Final = "event_name = 'infersight.prediction'"

OF_PREDICTIONS: Final = (
    *(
        Attribute(key, f"attributes['{key}']")
        for key in (
            "infersight.model.name",
            "infersight.model.version",
            "infersight.prediction.label",
            "error.type",
        )
    ),
    *(
        Attribute(key, f"attributes['{key}']", is_number=True)
        for key in ("infersight.prediction.confidence", "infersight.prediction.entropy")
    ),
)


def attributes_of_logs(connection: duckdb.DuckDBPyConnection) -> list[Attribute]:
    """The template of a record, as the collector found it, or else made of the message alone; and how severe it is."""
    known = "table_name = 'logs' and column_name = 'attributes' and key = $key"
    row = connection.execute(f"select count(*) from attribute_keys where {known}", {"key": _TEMPLATE}).fetchone()  # noqa: S608
    templates = [f"attributes['{_TEMPLATE}']::varchar"] if row and row[0] else []
    sql = f"coalesce({', '.join((*templates, 'event_name', _MASKED))})"
    return [Attribute(_TEMPLATE, sql), Attribute("severity_text", "severity_text")]


def look_at_logs(
    candidates: Candidates, population: Population, attributes: Sequence[Attribute], of_log: int, of_prediction: int
) -> None:
    """Test what was logged in the traces of the requests, and what was predicted.

    Args:
        candidates: takes note of the tests.
        population: both cohorts.
        attributes: of log records.
        of_log: subject of log records.
        of_prediction: subject of predictions.
    """
    for subject, condition, of_rows in (
        (of_log, "true", attributes),
        (of_prediction, _IS_PREDICTION, OF_PREDICTIONS),
    ):
        scan = scan_of_logs(population, condition)
        request = _requests(population, scan)
        rows = np.flatnonzero(request >= 0)
        if not len(rows):
            continue
        place = np.full(len(request), -1, np.int32)
        place[rows] = np.arange(len(rows))
        request = request[rows]
        places, calls = Places.of(np.full(len(rows), subject, np.int32), request, candidates.is_target)
        candidates.repeated[subject] = calls[subject]
        if subject == of_prediction:
            candidates.universes[subject] = candidates.universe(candidates.repeated[subject] > 0)
        columns = scan.columns([each.reading for each in of_rows], place)
        for attribute, column in zip(of_rows, columns, strict=True):
            look_at(candidates, attribute, places, column)


def scan_of_logs(population: Population, condition: str = "true") -> Scan:
    """A scan of the log records in the time of the requests that are in a trace and meet a condition."""
    low, high = population.between_ns
    where = f"trace_id is not null and time_ns between {low - _MARGIN_NS} and {high + _MARGIN_NS}"
    return Scan(population.scan.connection, "logs", f"{where} and {condition}")


def _requests(population: Population, scan: Scan) -> Numbers32:
    """The request of each row of a scan, -1 where its trace has none."""
    codes, traces = codes_of(*scan.read(hash_of("trace_id")))
    known = population.requests.trace
    order = np.argsort(known)
    place = np.searchsorted(known, traces, sorter=order)
    found = order[np.minimum(place, len(order) - 1)]
    return np.where(known[found] == traces, found, -1).astype(np.int32)[codes]
