"""The public table macros: questions that are asked again and again, as functions over the views.

Each macro is one file, `sql/macros/NAME.sql`, and one entry here; the two are checked against each other and against
`docs/sql-macros.md`. Names, parameters, columns and meanings are a contract: they are only ever added to. What macros
share is in `sql/helpers`, one scalar macro a file.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import Final

from infersight_analysis.definitions import Definition
from infersight_analysis.stored import literal
from infersight_analysis.views import VIEWS

TimeRange = tuple[int, int]
"""First and last time of a table's rows, nanoseconds since the epoch."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of a macro.

    Args:
        about: what it is.
        default: SQL of its value where none is given; None where one must be.
    """

    about: str
    default: str | None = "null"


@dataclass(frozen=True)
class Macro:
    """A public table macro.

    Args:
        name: its name in SQL.
        about: what one row is, and in which order they come.
        parameters: by name, in order.
        columns: what each column holds, by name, in order.
        example: a query that shows what it is for.
    """

    name: str
    about: str
    parameters: dict[str, Parameter]
    columns: dict[str, str]
    example: str

    @property
    def signature(self) -> str:
        """How it is called: `slowest(service := null, last := null, until := null, n := 20)`."""
        parameters = (
            name if parameter.default is None else f"{name} := {parameter.default}"
            for name, parameter in self.parameters.items()
        )
        return f"{self.name}({', '.join(parameters)})"

    def statement(self) -> str:
        """The statement that creates it.

        DuckDB plans a macro when it is created, with the files of every view in it, unless it meets a parameter of
        unknown type: so one comes first, in a row that is joined to the answer. `{spans}` in its file stands for the
        SELECT of that view, for a macro that adds what a filter on the view could not say.
        """
        text = _text("macros", self.name)
        for view in VIEWS:
            if (mark := f"{{{view.name}}}") in text:
                text = text.replace(mark, view.select())
        tables = f"(select {next(iter(self.parameters))}), ({text}) as answer"
        return f"create macro {self.signature} as table select answer.* from {tables}"  # noqa: S608 - our own


def definitions() -> Iterator[Definition]:
    """All macros but those of `time_ranges`, which come first. No view needs to be there yet."""
    for signature in _HELPERS:
        name = signature.partition("(")[0]
        keyword = "current_timestamp" if name == "main.get_current_timestamp" else None
        yield Definition(name.removeprefix("main."), partial(_helper, signature, name), keyword)
    for macro in MACROS:
        yield Definition(macro.name, macro.statement)


def time_ranges(ranges: Callable[[], Mapping[str, TimeRange]]) -> Iterator[Definition]:
    """The macros that say when the rows of a table begin and end, for the others' windows end with the last.

    Args:
        ranges: gives those of each stored table that has rows.
    """
    for position, name in enumerate(("first_ns", "last_ns")):
        yield Definition(f"stored.{name}", partial(_time_range, name, position, ranges))


def _time_range(name: str, position: int, ranges: Callable[[], Mapping[str, TimeRange]]) -> str:
    cases = " ".join(f"when {literal(table)} then {times[position]}" for table, times in ranges().items())
    # Numbers, not a table: only what is known when a query is planned skips files.
    number = f"case signal {cases} end" if cases else "null::bigint"
    return f"create or replace macro stored.{name}(signal) as {number}"


def _helper(signature: str, name: str) -> str:
    return f"create macro {signature} as {_text('helpers', name.partition('.')[2])}"


def _text(folder: str, name: str) -> str:
    return (resources.files("infersight_analysis") / "sql" / folder / f"{name}.sql").read_text()


_HELPERS: Final = (
    "stored.timestamp_of(time_ns)",
    "main.now()",
    "main.get_current_timestamp()",
    "stored.window_end_ns(signal, until)",
    "stored.window_start_ns(signal, last, until)",
    "stored.may_lie_within(date, hour, from_ns, until_ns)",
    "stored.weighted_quantile(number, reached, total, share)",
    "stored.bucket_falls(counts, first, earlier_counts, earlier_first, steps)",
    "stored.message_template(message)",
    "stored.reading_kind(type, is_monotonic)",
    "stored.metric_reading(kind, is_delta, point, earlier)",
    "stored.environment_of(resource)",
    "stored.deployment_of(resource)",
    "stored.query_statement(text)",
)
"""Scalar macros in the order in which they build on each other."""

_COLUMNS: Final = {view.name: view.columns for view in VIEWS}

_TRACE: Final = Parameter("trace id, 32 hex digits", None)
_SERVICE: Final = Parameter("only this service")
_WINDOW: Final = {
    "last": Parameter("how long the window is: `'1h'`, `interval 1 hour`; without it everything before `until`"),
    "until": Parameter("first time after the window; by default just after the last record"),
}
_STEP: Final = Parameter("one row for each step of this length, such as `'5m'`; one for the window without it")
_DURATION: Final = "milliseconds"

MACROS: Final = (
    Macro(
        "trace",
        "one span of the trace, in the order of time",
        {"trace": _TRACE},
        _COLUMNS["spans"],
        "select name, duration_ns / 1e6 as ms from trace('0af7651916cd43dd8448eb211c80319c')",
    ),
    Macro(
        "waterfall",
        "one span of the trace, each followed by those below it",
        {"trace": _TRACE},
        {
            "operation": "the span's name, indented by its depth",
            "service_name": "`service.name` of the sender",
            "offset_ms": "milliseconds from the trace's first start",
            "duration_ms": "milliseconds; of an unfinished span until the last span below it has ended",
            "bar": "when it ran, as 40 characters",
            "status_code": "`UNSET` `OK` `ERROR`",
            "note": "what had to be repaired: `unfinished`, `ends before it starts`, `its parent is missing`, `its own "
            "ancestor`, `clock moved by ...`",
            "depth": "how many spans are above",
            "kind": "`SERVER` `CLIENT` `INTERNAL` `PRODUCER` `CONSUMER` `UNSPECIFIED`",
            "span_id": "16 lower-case hex digits",
            "parent_span_id": "as it was sent",
        },
        "select operation, duration_ms, bar from waterfall('0af7651916cd43dd8448eb211c80319c')",
    ),
    Macro(
        "self_time",
        "one finished span with the time in which none of its children ran, in the order of time",
        {
            "trace": Parameter("only this trace; the window is then the whole store"),
            "service": _SERVICE,
            "operation": Parameter("only spans of this name"),
            **_WINDOW,
        },
        {
            "trace_id": "32 lower-case hex digits",
            "span_id": "16 lower-case hex digits",
            "parent_span_id": "null for a root",
            "service_name": "`service.name` of the sender",
            "name": "name of the operation",
            "kind": "`SERVER` `CLIENT` `INTERNAL` `PRODUCER` `CONSUMER` `UNSPECIFIED`",
            "start_time": "TIMESTAMP_NS, UTC",
            "duration_ms": _DURATION,
            "self_ms": "milliseconds without the union of its children, each clipped to the span",
            "child_count": "number of children that ran during it",
            "sample_weight": "how many this one stands for",
        },
        "select name, sum(self_ms * sample_weight) as self_ms from self_time(service := 'sentiment', last := '1h')\n"
        "group by name order by 2 desc",
    ),
    Macro(
        "logs_of",
        "one log record of the trace, in the order of time",
        {"trace": _TRACE},
        _COLUMNS["logs"],
        "select time, severity_text, body from logs_of('0af7651916cd43dd8448eb211c80319c')",
    ),
    Macro(
        "metrics_around",
        "one data point of a process that served the trace, by series and time",
        {
            "trace": _TRACE,
            "padding": Parameter("how long before the trace's start and after its end", "'1m'"),
        },
        {
            "time": "TIMESTAMP_NS, UTC",
            "offset_ms": "milliseconds from the trace's start, negative before",
            "phase": "`before`, `during` or `after` the trace",
            "service_name": "the service",
            "service_instance_id": "the process",
            "name": "name of the metric",
            "unit": "in UCUM",
            "type": "`gauge` `sum` `histogram` `exponential_histogram` `summary`",
            "temporality": "`DELTA` `CUMULATIVE`, null where the type has none",
            "attributes": "STRUCT: those of the series",
            "value": "of gauges and sums",
            "count": "of histograms and summaries",
            "sum": "of histograms and summaries",
            "min": "of histograms",
            "max": "of histograms",
            "time_ns": "`time` in nanoseconds since the epoch",
        },
        "select name, attributes, offset_ms, coalesce(value, sum / count) as reading\n"
        "from metrics_around('0af7651916cd43dd8448eb211c80319c', '30s')",
    ),
    Macro(
        "exemplars_of",
        "one exemplar of the metric whose value lies in the bucket, the newest first",
        {
            "metric": Parameter("name of a histogram", None),
            "bucket": Parameter(
                "any value in the bucket, such as its upper bound; `'inf'` is the highest bucket", None
            ),
            "service": _SERVICE,
            **_WINDOW,
        },
        {
            "time": "TIMESTAMP_NS, UTC",
            "value": "the measurement",
            "trace_id": "the trace that it was made in",
            "span_id": "the span that it was made in",
            "service_name": "the service",
            "service_version": "its version",
            "service_instance_id": "its process",
            "bucket_lower": "lower bound of the bucket, which is not in it",
            "bucket_upper": "upper bound of the bucket, which is in it",
            "attributes": "those that the series does not have",
            "point_attributes": "those of the series",
            "time_ns": "`time` in nanoseconds since the epoch",
        },
        "select trace_id, value from exemplars_of('http.server.request.duration', 0.5, last := '1h')",
    ),
    Macro(
        "slowest",
        "one request, the slowest first: the first span of its trace that serves someone or has no parent",
        {"service": _SERVICE, **_WINDOW, "n": Parameter("most rows", "20")},
        {
            "trace_id": "32 lower-case hex digits",
            "span_id": "16 lower-case hex digits",
            "service_name": "the service",
            "service_version": "its version",
            "name": "name of the span",
            "route": "`http.route`",
            "start_time": "TIMESTAMP_NS, UTC",
            "duration_ms": _DURATION,
            "status_code": "`UNSET` `OK` `ERROR`",
        },
        "select trace_id, route, duration_ms from slowest('sentiment', interval 1 hour)",
    ),
    Macro(
        "rate_errors_duration",
        "one route of one service in one step, in the order of time",
        {**_WINDOW, "step": _STEP, "service": _SERVICE},
        {
            "time": "start of the step, UTC; of the window without steps",
            "service_name": "the service",
            "route": "`http.route`, else the span's name",
            "spans": "number of spans that it was estimated from",
            "requests": "how many requests they stand for",
            "rate": "requests a second",
            "errors": "how many of them failed",
            "error_share": "errors divided by requests, 0 to 1",
            "p50_ms": "median of the duration in milliseconds",
            "p95_ms": "95th percentile",
            "p99_ms": "99th percentile",
        },
        "select time, route, rate, error_share, p99_ms from rate_errors_duration('24h', step := '1h')",
    ),
    Macro(
        "histogram_quantile",
        "the quantile of one service's histogram in one step, in the order of time",
        {
            "metric": Parameter("name of a histogram", None),
            "q": Parameter("0 to 1", None),
            **_WINDOW,
            "step": _STEP,
            "service": _SERVICE,
            "split": Parameter("rows for each value of this column of `metrics`, such as `attributes['http.route']`"),
        },
        {
            "time": "start of the step, UTC; of the window without steps",
            "service_name": "the service",
            "part": "value of `split`, as text",
            "type": "`histogram` or `exponential_histogram`",
            "unit": "in UCUM",
            "count": "number of measurements",
            "mean": "their mean",
            "value": "the quantile; null without measurements, or without bounds",
        },
        "select part as route, value from histogram_quantile(\n"
        "    'http.server.request.duration', 0.99, last := '1h', split := service_version)",
    ),
    Macro(
        "error_groups",
        "one kind of failure: an exception's type and a message without its values; the most frequent first",
        {"service": _SERVICE, **_WINDOW},
        {
            "type": "type of the exception, else `error.type`, else `error`",
            "template": "the message's first line, with `*` for numbers, ids and quoted texts",
            "count": "how many failures they stand for",
            "seen": "number of failures in the store, each counted once however often it was recorded",
            "services": "sorted list of the services in which they began",
            "versions": "sorted list of their versions",
            "first_seen": "when the first began, UTC",
            "last_seen": "when the last began, UTC",
            "last_message": "what the last one said",
            "last_trace_id": "its trace",
        },
        "select type, template, count, last_trace_id from error_groups(last := '24h')",
    ),
    Macro(
        "batch_of",
        "one request in a batch in which the trace's requests were run; the trace's own first",
        {"trace": _TRACE},
        {
            "batch": "name of the batch's span",
            "start_time": "when it began, UTC",
            "duration_ms": "milliseconds that it took",
            "size": "`infersight.batch.size`: its items",
            "release_reason": "`infersight.batch.release_reason`: why it ran then",
            "member_trace_id": "trace of a request in it",
            "is_this": "whether that is the trace asked for",
            "queue_ms": "milliseconds that the request waited for it",
            "share": "`infersight.batch.share`: the request's part of it, 0 to 1",
            "batch_trace_id": "the batch's own trace",
            "batch_span_id": "its span",
            "member_span_id": "the request's span that the batch links to",
        },
        "select batch, release_reason, member_trace_id, queue_ms, share\n"
        "from batch_of('0af7651916cd43dd8448eb211c80319c')",
    ),
    Macro(
        "predictions_of",
        "one prediction, in the order of time",
        {
            "trace": Parameter("only this trace"),
            "model": Parameter("only this model"),
            "version": Parameter("only this version of the model"),
            **_WINDOW,
        },
        _COLUMNS["predictions"],
        "select label, sum(sample_weight) as predictions, avg(confidence) as confidence\n"
        "from predictions_of(model := 'sentiment', version := '2', last := '1d') group by label",
    ),
    Macro(
        "attribute_keys",
        "one attribute key that occurs, with its type, by name",
        {
            "signal": Parameter("`spans`, `logs`, `metrics` or `exemplars`; all without it"),
            "pattern": Parameter("only keys like this, whatever their case", "'%'"),
        },
        _COLUMNS["attribute_keys"],
        "select key, type from attribute_keys('spans', '%model%')",
    ),
)
"""Every public macro."""
