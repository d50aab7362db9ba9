"""Which requests are compared, as conditions in SQL on the view `spans`."""

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any, Final

import duckdb

from infersight_analysis.errors import AnalysisError
from infersight_analysis.options import Window
from infersight_analysis.statements import read_only
from infersight_analysis.stored import literal
from infersight_analysis.times import SECOND_NS, parse_duration

MARGIN_NS: Final = 3600 * SECOND_NS
"""How far the spans of a request may lie outside of the window in which it began."""

OUTCOMES: Final = frozenset({"status_code", "status_message", "http.response.status_code", "error.type"})
"""How a span ended: of the request they restate that it failed, of the spans below they are what one looks for."""

_PERCENTILE: Final = re.compile(r"p(\d{1,2}(?:\.\d+)?)")


@dataclass(frozen=True)
class Slow:
    """Slow requests: of at least `over_ns`, or of at least the quantile `share` of all durations where that is set."""

    over_ns: int = 0
    share: float | None = None

    @classmethod
    def of(cls, over: str) -> "Slow":
        """What `--over` says: a duration or a percentile.

        Raises:
            AnalysisError: it is neither.
        """
        percentile = _PERCENTILE.fullmatch(over.strip().lower())
        if percentile:
            return cls(share=float(percentile[1]) / 100)
        try:
            return cls(parse_duration(over))
        except AnalysisError:
            raise AnalysisError(
                f"--over takes a duration or a percentile, such as 500ms or p99, not {over!r}"
            ) from None


@dataclass(frozen=True)
class Question:
    """Two cohorts of the requests that the filters leave.

    Args:
        target: a condition on the request's span; or what counts as slow.
        baseline: a condition on the request's span; what is not in the target without one.
        about: what the two are called.
        service: only requests of this service.
        route: only this route, or span name.
        model: only requests in which this model was called.
        window: when the requests began.
        restated: attributes that only restate which cohort a request is in.
    """

    target: str | Slow
    baseline: str | None = None
    about: tuple[str, str] = ("the target", "the baseline")
    service: str | None = None
    route: str | None = None
    model: str | None = None
    window: Window = Window()  # noqa: RUF009 - immutable
    restated: frozenset[str] = field(default_factory=frozenset[str])

    def checked(self, connection: duckdb.DuckDBPyConnection) -> "Question":
        """The question with its conditions parsed, and with the attributes that they name among the restated ones.

        Raises:
            AnalysisError: a condition is none.
            duckdb.Error: it is no SQL.
        """
        conditions = [each for each in (self.target, self.baseline) if isinstance(each, str)]
        for condition in conditions:
            # A bracket that closes more than it opens would end the condition.
            read_only(connection, f"select {condition} from spans")  # noqa: S608 - that it is one query is checked
            read_only(connection, f"select 1 from spans where ({condition})")  # noqa: S608
        names = {name for condition in conditions for name in _names(connection, condition)}
        slow = {"duration_ns", "end_time_ns"} if isinstance(self.target, Slow) else set[str]()
        return replace(self, restated=self.restated | names | slow)

    @property
    def is_request(self) -> str:
        """The condition on spans that may be requests; of a trace's the first one is."""
        parts = [
            "(kind in ('SERVER', 'CONSUMER') or parent_span_id is null)",
            "trace_id is not null and duration_ns is not null",
            "attributes['infersight.operation']::varchar is distinct from 'batch'",
            *during(self.window),
        ]
        if self.service is not None:
            parts.append(f"service_name = {literal(self.service)}")
        if self.route is not None:
            route = literal(self.route)
            parts.append(f"(attributes['http.route']::varchar = {route} or name = {route})")
        if self.model is not None:
            model = f"attributes['infersight.model.name']::varchar = {literal(self.model)}"
            parts.append(f"trace_id in (select trace_id from spans where {model})")  # noqa: S608 - quoted
        return " and ".join(parts)

    def is_target(self, threshold_ns: int | None) -> str:
        """The condition of the target; slow ones are told by the threshold."""
        return self.target if isinstance(self.target, str) else f"duration_ns >= {threshold_ns}"


def during(window: Window, column: str = "start_time_ns") -> list[str]:
    """The conditions on what a column says to be in a window, by default on spans that start in it."""
    low = [] if window.start_ns is None else [f"{column} >= {window.start_ns}"]
    high = [] if window.end_ns is None else [f"{column} < {window.end_ns}"]
    return low + high


def _names(connection: duckdb.DuckDBPyConnection, condition: str) -> set[str]:
    """Names of columns and attribute keys in a condition: every name, and every text, which a key may be."""
    sql = f"select {condition} from spans"  # noqa: S608 - only parsed
    row = connection.execute("select json_serialize_sql($sql::varchar)", {"sql": sql}).fetchone()
    names: set[str] = set()

    def take(members: dict[str, Any]) -> None:
        names.update(members.get("column_names", ()))
        if members.get("kind") == "STRING":
            names.add(members["text"])

    json.loads(row[0] if row else "{}", object_hook=take)
    return names
