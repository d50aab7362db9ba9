"""What was logged: the template of each record, and the visit in which it was logged."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyarrow publishes no types.

from dataclasses import dataclass
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from infersight_analysis.forest import NONE, Flags, Rows
from infersight_analysis.rootcause.question import Question
from infersight_analysis.rootcause.reading import Texts, instance_of, place_of, read
from infersight_analysis.rootcause.visits import Visits
from infersight_collector.templates import Miner, masked

ERROR: Final = 17
"""The severity number from which on a record says that something failed."""


@dataclass(frozen=True)
class Records:
    """Log records; one element a record.

    Args:
        time_ns: when it was logged.
        trace: its trace id; empty without one.
        span: hash of its trace's and span's id; of a record without either anything.
        service: its service.
        instance: its instance.
        template: the message without its values.
        place: the place in the code that logged it; empty where its sender does not say it.
        exception: the type of its exception; empty without one.
        is_error: whether it says that something failed.
        in_window: whether it was logged in the incident.
    """

    time_ns: Rows
    trace: Texts
    span: npt.NDArray[np.uint64]
    service: Texts
    instance: Texts
    template: Texts
    place: Texts
    exception: Texts
    is_error: Flags
    in_window: Flags

    def __len__(self) -> int:
        return len(self.time_ns)


def read_records(connection: duckdb.DuckDBPyConnection, question: Question, one_in: int) -> Records:
    """The log records of an incident and its baseline.

    Args:
        connection: from `connect`.
        question: the incident.
        one_in: read this part of the traces.
    """
    columns = read(
        connection,
        "logs",
        question,
        one_in=one_in,
        instance=instance_of(connection, "logs"),
        place=place_of(connection),
    )
    exception: Texts = columns["exception"]
    time_ns: Rows = columns["time_ns"]
    return Records(
        time_ns=time_ns,
        trace=columns["trace_id"],
        span=columns["span"],
        service=columns["service"],
        instance=columns["instance"],
        template=_templates(columns["service"], columns["template"], columns["body"]),
        place=columns["place"],
        exception=exception,
        is_error=(columns["severity"] >= ERROR) | ~exception.is_one_of(""),
        in_window=(time_ns >= question.start_ns) & (time_ns < question.end_ns),
    )


def _templates(service: Texts, template: Texts, body: Texts) -> Texts:
    """The template that a collector found, else one that is found now, among all messages of the service."""
    messages = masked(pa.array(body.values, pa.string())).to_pylist() if body.values else []
    codes = np.stack([service.codes, body.codes, template.codes])
    key = (codes[0] * len(body.values) + codes[1]) * len(template.values) + codes[2]
    _, first, of_record = np.unique(key, return_index=True, return_inverse=True)
    pairs = codes[:, first]
    texts: list[str] = []
    found: dict[tuple[int, int], str] = {}
    for number in np.unique(pairs[0]).tolist():
        bodies = np.unique(pairs[1][pairs[0] == number]).tolist()
        mined = Miner().templates([messages[each] for each in bodies])
        found |= {(number, each): text for each, text in zip(bodies, mined, strict=True)}
    for of_service, of_body, of_template in pairs.T.tolist():
        texts.append(template.values[of_template] or found[of_service, of_body])
    numbers: dict[str, int] = {}
    of_pair = np.array([numbers.setdefault(text, len(numbers)) for text in texts], np.int64)
    return Texts(of_pair[of_record], list(numbers))


def visit_of(records: Records, visits: Visits) -> Rows:
    """The visit in which each record was logged, `NONE` where none is known.

    That is the visit of its span; where it names no span that is known, the first visit of its trace to its service.
    """
    table = visits.table
    order = np.argsort(table.span)
    place = np.minimum(np.searchsorted(table.span, records.span, sorter=order), max(0, len(order) - 1))
    if not len(order):
        return np.full(len(records), NONE, np.int64)
    row = order[place]
    found = np.where(table.span[row] == records.span, visits.of_span[row], NONE)
    by_place: dict[tuple[str, str], int] = {}
    traces, services = table.trace_id.values, table.service.values
    missing = np.flatnonzero((found == NONE) & ~records.trace.is_one_of(""))
    if len(missing):
        for number in range(len(visits) - 1, -1, -1):
            by_place[traces[int(visits.trace[number])], services[int(visits.service[number])]] = number
    for each in missing.tolist():
        key = (
            records.trace.values[int(records.trace.codes[each])],
            records.service.values[int(records.service.codes[each])],
        )
        found[each] = by_place.get(key, NONE)
    return found
