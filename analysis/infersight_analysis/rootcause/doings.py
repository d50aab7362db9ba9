"""What is done in visits: spans below the first, calls of other services, records that are logged, failures."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from infersight_analysis.forest import NONE, Rows
from infersight_analysis.rootcause.logs import Records
from infersight_analysis.rootcause.visits import Visits

Doing = tuple[str, str]
"""A kind, one of the keys of `KINDS`, and a text."""

KINDS: Final = {
    "span": "does {}",
    "call": "calls {}",
    "log": "logs “{}”",
    "error log": "logs the error “{}”",
    "exception": "raises {}",
    "failure": "fails at {}",
}

FAILURES: Final = frozenset({"error log", "exception", "failure"})
"""The kinds that say that something failed."""


@dataclass(frozen=True)
class Doings:
    """Which visits do what.

    Args:
        visit: number of a visit; one element for each visit and each thing that it does.
        doing: number of what it does.
        names: what that is, by number.
    """

    visit: Rows
    doing: Rows
    names: list[Doing]

    @classmethod
    def of(cls, visits: Visits, records: Records, visit_of_record: Rows) -> "Doings":
        """What the spans and records of visits say that they do."""
        numbers: dict[Doing, int] = {}
        parts: list[tuple[Rows, Rows]] = []
        for visit, codes, names in (*_of_spans(visits), *_of_records(records, visit_of_record)):
            number = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)
            if len(visit):
                parts.append((visit, number[codes]))
        pairs = (
            np.unique(np.concatenate([visit * len(numbers) + doing for visit, doing in parts]))
            if parts
            else np.zeros(0, np.int64)
        )
        return cls(pairs // max(1, len(numbers)), pairs % max(1, len(numbers)), list(numbers))


def _of_spans(visits: Visits) -> Iterator[tuple[Rows, Rows, list[Doing]]]:
    table = visits.table
    inner = np.ones(len(table.span), np.bool_)
    inner[visits.top] = False
    rows = np.flatnonzero(inner)
    names = table.name.values
    yield visits.of_span[rows], table.name.codes[rows], [("span", name) for name in names]
    failed = np.flatnonzero(table.is_error)
    yield visits.of_span[failed], table.name.codes[failed], [("failure", name) for name in names]
    kinds = table.error_type
    raised = np.flatnonzero(~kinds.is_one_of(""))
    yield visits.of_span[raised], kinds.codes[raised], [("exception", kind) for kind in kinds.values]
    called = np.flatnonzero(visits.caller != NONE)
    operations, codes = np.unique(visits.operation[called], return_inverse=True)
    tops = visits.top[called]
    first = {int(operation): int(row) for operation, row in zip(visits.operation[called], tops, strict=True)}
    services = table.service.values
    texts = [
        f"{names[table.name.codes[first[each]]]} of {services[table.service.codes[first[each]]]}"
        for each in operations.tolist()
    ]
    yield visits.caller[called], codes, [("call", text) for text in texts]


def _of_records(records: Records, visit: Rows) -> Iterator[tuple[Rows, Rows, list[Doing]]]:
    """Errors are told apart by what they say, other records by the place in the code, where that is known.

    What an ordinary message says depends on what was asked for; that the same line is logged does not.
    """
    failed = np.flatnonzero(records.is_error & (visit != NONE))
    yield visit[failed], records.template.codes[failed], [("error log", text) for text in records.template.values]
    rows = np.flatnonzero(~records.is_error & (visit != NONE))
    statement, texts = _statements(records, rows)
    yield visit[rows], statement, [("log", text) for text in texts]
    raised = np.flatnonzero(~records.exception.is_one_of("") & (visit != NONE))
    yield visit[raised], records.exception.codes[raised], [("exception", text) for text in records.exception.values]


def _statements(records: Records, rows: Rows) -> tuple[Rows, list[str]]:
    """The statement that logged each record, as `template` or `template (place)`."""
    place, template = records.place, records.template
    known = ~place.is_one_of("")[rows]
    code = np.where(known, place.codes[rows], template.codes[rows] + len(place.values))
    codes, first, statement = np.unique(code, return_index=True, return_inverse=True)
    texts = [template.values[int(template.codes[rows[row]])] for row in first]
    return statement, [
        f"{text} ({place.values[int(code)]})" if code < len(place.values) else text
        for code, text in zip(codes, texts, strict=True)
    ]
