"""Which spans are queries, and which statement each of them is."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.columns import NO_VALUE, codes_of
from infersight_analysis.cohorts.population import Population

_SYSTEM: Final = "coalesce(attributes['db.system.name']::varchar, attributes['db.system']::varchar)"
IS_QUERY: Final = f"({_SYSTEM} is not null or coalesce(attributes['infersight.operation'] = 'query', false))"
"""Condition on spans: the database conventions, by their present and their former names, or the SDK's `query`."""

_SUMMARY: Final = "attributes['db.query.summary']::varchar"
_OPERATION: Final = (
    "nullif(concat_ws(' ', coalesce(attributes['db.operation.name']::varchar, attributes['db.operation']::varchar), "
    "coalesce(attributes['db.collection.name']::varchar, attributes['db.sql.table']::varchar)), '')"
)
_TEXT: Final = (
    "coalesce(attributes['db.query.text']::varchar, attributes['db.statement']::varchar, "
    f"{_SUMMARY}, {_OPERATION}, name, '')"
)
_KEY: Final = f"if({IS_QUERY}, hash(service_name, {_SYSTEM}, {_TEXT}), hash(null))"
NONE: Final = -1

Codes = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Statement:
    """A statement of a service, see `QueryStatement`."""

    service: str | None
    system: str | None
    text: str
    summary: str | None


@dataclass(frozen=True)
class Statements:
    """The statements of a population.

    Args:
        known: each once.
        of_span: the number of each span's statement, `NONE` of spans that are no query; one element a span.
    """

    known: list[Statement]
    of_span: Codes

    @classmethod
    def of(cls, population: Population) -> "Statements":
        """Read them; each different text is normalised once."""
        (keys,) = population.read(_KEY)
        codes, distinct = codes_of(keys)
        scan = population.scan
        sql = (
            f"select {_KEY} as key, service_name, {_SYSTEM}, stored.query_statement({_TEXT}), min({_SUMMARY}) "  # noqa: S608
            f"from {scan.view} where {scan.where} and {IS_QUERY} group by all"
        )
        found = {row[0]: row[1:] for row in scan.connection.execute(sql).fetchall()}
        numbers: dict[tuple[str | None, str | None, str], int] = {}
        summaries: list[str | None] = []
        number_of_key = np.full(len(distinct), NONE, np.int32)
        for place, key in enumerate(distinct.tolist()):
            if key == int(NO_VALUE):
                continue
            service, system, text, summary = found[key]
            number = numbers.setdefault((service, system, text or "?"), len(numbers))
            if number == len(summaries):
                summaries.append(summary)
            number_of_key[place] = number
        known = [Statement(*identity, summaries[number]) for identity, number in numbers.items()]
        return cls(known, number_of_key[codes] if len(codes) else codes)
