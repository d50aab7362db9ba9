"""The requests of a time, as the numbers that tests compare."""

import re
from dataclasses import dataclass
from math import inf
from textwrap import indent
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.question import Question
from infersight_analysis.options import Window
from infersight_analysis.reading import query
from infersight_analysis.stats import proportions, quantiles
from infersight_analysis.stats.estimate import Estimate

_COMMENTS: Final = re.compile(r"\A(?:--.*\n)*")
_DURATIONS: Final = "select duration_ns::double as duration_ns, has_failed from requests order by start_time_ns"


@dataclass(frozen=True)
class Requests:
    """Requests in the order of their begin.

    Args:
        durations_ns: how long each took, nanoseconds.
        failed: whether it failed.
    """

    durations_ns: npt.NDArray[np.float64]
    failed: npt.NDArray[np.bool_]

    @property
    def count(self) -> int:
        """How many were kept."""
        return len(self.failed)

    @property
    def failures(self) -> int:
        """How many of them failed."""
        return int(self.failed.sum())

    @property
    def error_share(self) -> float:
        """The share that failed; NaN of none."""
        return self.failures / self.count if self.count else float("nan")

    def quantile(self, q: float) -> float:
        """A quantile of the durations, nanoseconds; NaN of none."""
        return float(np.quantile(self.durations_ns, q)) if self.count else float("nan")


def read_requests(
    connection: duckdb.DuckDBPyConnection, start_ns: int | None, end_ns: int | None, service: str | None = None
) -> Requests:
    """The requests that began in a time.

    Args:
        connection: from `connect`.
        start_ns: first time, nanoseconds since the epoch; None is without bound.
        end_ns: first time that is too late.
        service: only requests of this service.
    """
    sql = f"{_requests(start_ns, end_ns, service)} {_DURATIONS}"
    columns: dict[str, Any] = connection.execute(sql).fetchnumpy()
    return Requests(
        np.asarray(columns["duration_ns"], np.float64), np.ma.filled(columns["has_failed"], False).astype(np.bool_)
    )


def error_difference(before: Requests, after: Requests, confidence: float = 0.95) -> Estimate:
    """The share that failed after, less that before."""
    return proportions.difference(before.failures, before.count, after.failures, after.count, confidence)


def duration_difference(before: Requests, after: Requests, q: float, confidence: float = 0.95) -> Estimate:
    """A quantile of the durations after, less that before, nanoseconds."""
    return quantiles.difference(before.durations_ns, after.durations_ns, q, confidence)


def counting(start_ns: int, end_ns: int, service: str | None = None, slow_ns: float = inf) -> str:
    """The SQL that counts the requests of a time, as `infersight sql` takes it.

    Args:
        start_ns: first time, nanoseconds since the epoch.
        end_ns: first time that is too late.
        service: only requests of this service.
        slow_ns: the duration, nanoseconds, above which a request is counted as slow.
    """
    slow = "'infinity'::double" if slow_ns == inf else str(round(slow_ns))
    return over_requests("incidents/summary", start_ns, end_ns, service, slow_ns=slow)


def over_requests(name: str, start_ns: int, end_ns: int, service: str | None = None, **values: str) -> str:
    """A query over `requests`, those of a time, with its values in it: `infersight sql` takes it as it is.

    Args:
        name: of the query, see `reading.query`; `sql/queries/incidents/requests.sql` has the columns it may use.
        start_ns: first time, nanoseconds since the epoch.
        end_ns: first time that is too late.
        service: only requests of this service.
        values: SQL for each of its parameters.
    """
    text = query(name)
    for parameter, value in values.items():
        text = text.replace(f"${parameter}", value)
    return f"{_requests(start_ns, end_ns, service)}\n{_COMMENTS.sub('', text)}"


def _requests(start_ns: int | None, end_ns: int | None, service: str | None) -> str:
    """The clause that defines them; not with a comment in front, which the command line would take for an option."""
    among = Question("true", service=service, window=Window(start_ns, end_ns))
    text = _COMMENTS.sub("", query("incidents/requests")).replace("{is_request}", among.is_request)
    return f"with requests as (\n{indent(text, '    ')})"
