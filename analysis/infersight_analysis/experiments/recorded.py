# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow publishes no type information)
"""An experiment out of a store: who evaluated a flag to what, or had an attribute, and what became of the request."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import duckdb
import numpy as np

from infersight_analysis.cohorts.attributes import OF_RESOURCES, OF_SPANS, attributes_of
from infersight_analysis.cohorts.question import OUTCOMES, during
from infersight_analysis.cohorts.question import Question as Requests
from infersight_analysis.errors import AnalysisError
from infersight_analysis.experiments.arrow import integers_of, labels_of, numbers_of
from infersight_analysis.experiments.measured import named, source_of
from infersight_analysis.experiments.observations import NONE, Codes, Labels, Numbers, Observations, Outcome
from infersight_analysis.experiments.question import Question
from infersight_analysis.options import Window
from infersight_analysis.reading import query
from infersight_analysis.stored import identifier, literal

_VARIANT: Final = "infersight.variant."
_USER: Final = "coalesce(attributes['user.id'], attributes['enduser.id'])::varchar"
_CONTEXT: Final = "feature_flag.context.id"
_EVALUATIONS: Final = {
    "logs": "event_name = 'feature_flag.evaluation'",
    "span_events": "name in ('feature_flag', 'feature_flag.evaluation')",
}
"""Where evaluations of flags are: the conventions' event is a log record; other SDKs make an event of a span of it."""

_MOST_VALUES: Final = 20
_LEAST_COVERED: Final = 0.5
"""The share of exposures that must name a user, for users to be the units where nothing is said."""

_COLUMNS: Final = {each.name: each.sql for each in (*OF_SPANS, *OF_RESOURCES)}


def recorded(connection: duckdb.DuckDBPyConnection, question: Question) -> Observations:
    """What a store has about an experiment.

    Args:
        connection: from `connect`.
        question: the experiment.

    Raises:
        AnalysisError: no such flag or attribute, no exposures, or a metric that nothing has.
    """
    assigned = _assigned(connection, question)
    requests = Requests(
        "true", service=question.service, route=question.route, model=question.model, window=question.window
    )
    segments = _segments(connection, question, requests)
    columns = {
        **{f"s{place}": sql for place, sql in enumerate(segments.values())},
        "unit": _unit_of(connection, question),
    }
    exposed = _exposed(question, requests, assigned, columns)
    with connection.cursor() as cursor:
        cursor.execute(f"create temp table exposed as {exposed}")
        table: Any = cursor.sql("from exposed order by row").to_arrow_table()
        if not table.num_rows:
            what = "requests" if question.variant is None else f"exposures to {question.variant}"
            raise AnalysisError(f"no {what} in this time; {_flags_known(connection)}")
        outcomes = [_outcome(cursor, connection, question, place) for place in range(len(question.metrics))]
        found = _observations(table, question, list(segments), outcomes, exposed)
        found = replace(found, others=_others(cursor, found, question))
        return replace(found, covariates=_covariates(cursor, connection, question, requests, found))


def _assigned(connection: duckdb.DuckDBPyConnection, question: Question) -> str:
    """A query of who got which variant: `trace_id`, `time_ns`, `variant`, `context_id`."""
    key, expression = question.variant, "'all'"
    if key is not None:
        flags = f"select trace_id, time_ns, variant, context_id from ({_flags(connection)}) where flag = {literal(key)}"  # noqa: S608 - quoted
        if connection.execute(f"select exists ({flags})").fetchall()[0][0]:
            return flags
        found = _attribute(connection, f"{_VARIANT}{key}") or _attribute(connection, key) or _COLUMNS.get(key)
        if found is None:
            known = _flags_known(connection)
            raise AnalysisError(f"no feature flag, attribute or column of spans is called {key!r}; {known}")
        expression = found
    within = " and ".join(["trace_id is not null", f"{expression} is not null", *during(question.window)])
    return (
        f"select trace_id, start_time_ns as time_ns, ({expression})::varchar as variant, null as context_id "  # noqa: S608
        f"from spans where {within}"
    )


def _flags(connection: duckdb.DuckDBPyConnection) -> str:
    """A query of all evaluations of flags; the events of all spans are read only where one of them is an evaluation."""
    sql = (
        "select exists (from attribute_keys where table_name = 'spans' and column_name = 'events.attributes' "
        "and key = 'feature_flag.key')"
    )
    has_events = connection.execute(sql).fetchall()[0][0]
    places = _EVALUATIONS if has_events else {"logs": _EVALUATIONS["logs"]}
    evaluations = query("abtest/flags")
    return "union all by name\n".join(
        evaluations.replace("{table}", table).replace("{is_evaluation}", condition)
        for table, condition in places.items()
    )


def _flags_known(connection: duckdb.DuckDBPyConnection) -> str:
    keys = connection.execute(f"select distinct flag from ({_flags(connection)}) order by all limit 10").fetchall()  # noqa: S608
    listed = ", ".join(str(key) for (key,) in keys if key is not None)
    return f"flags in this store: {listed}" if listed else "this store has no feature_flag.evaluation events"


def _attribute(connection: duckdb.DuckDBPyConnection, key: str) -> str | None:
    """How an attribute of spans is read, None where no span has it."""
    sql = (
        "select column_name from attribute_keys where table_name = 'spans' and key = $key "
        "and column_name in ('attributes', 'resource_attributes') order by column_name"
    )
    columns = connection.execute(sql, {"key": key}).fetchall()
    return f"{columns[0][0]}[{literal(key)}]" if columns else None


def _expression(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """How an attribute or a column of spans is read."""
    expression = _attribute(connection, name) or _COLUMNS.get(name)
    if expression is None:
        raise AnalysisError(f"no attribute or column of spans is called {name!r}")
    return expression


def _unit_of(connection: duckdb.DuckDBPyConnection, question: Question) -> str:
    if question.unit in {None, _CONTEXT, "trace"}:
        return _USER
    return f"({_expression(connection, question.unit or '')})::varchar"


def _segments(connection: duckdb.DuckDBPyConnection, question: Question, requests: Requests) -> dict[str, str]:
    """Attributes of requests by name that have few values, and how each is read."""
    measured = {name for metric in question.metrics for name in (metric.value, metric.divisor) if name}
    left_out = (
        OUTCOMES
        | measured
        | set(question.after)
        | {question.variant, question.unit or "", "kind", "scope_name", "scope_version"}
    )
    candidates = {
        each.name: each.sql
        for column, columns in (("attributes", OF_SPANS), ("resource_attributes", OF_RESOURCES))
        for each in attributes_of(connection, column, columns, frozenset())
        if each.name not in left_out and not each.is_number and each.name != f"{_VARIANT}{question.variant}"
    }
    if not candidates:
        return {}
    counts = ", ".join(f"approx_count_distinct({sql})" for sql in candidates.values())
    counted = connection.execute(f"select {counts} from spans where {requests.is_request}").fetchall()[0]  # noqa: S608
    few = {name: candidates[name] for name, count in zip(candidates, counted, strict=True) if 1 < count <= _MOST_VALUES}
    for name in question.segments:
        few[name] = _expression(connection, name)
    return few


def _exposed(question: Question, requests: Requests, assigned: str, columns: Mapping[str, str]) -> str:
    """The query of exposures; those without a request here count where no filter asks for one."""
    filters = (question.service, question.route, question.model)
    is_filtered = question.variant is None or any(each is not None for each in filters)
    listed = "".join(f", ({sql})::varchar as {identifier(name)}" for name, sql in columns.items())
    return (
        query("abtest/exposed")
        .replace("{assigned}", assigned)
        .replace("{columns}", listed)
        .replace("{is_request}", requests.is_request)
        .replace("{join}", "join" if is_filtered else "left join")
        .replace("{within}", " and ".join([*during(question.window, "time_ns"), "coalesce(sample_weight, 1) > 0"]))
    )


def _outcome(
    cursor: duckdb.DuckDBPyConnection, connection: duckdb.DuckDBPyConnection, question: Question, place: int
) -> Outcome:
    metric = question.metrics[place]
    values = source_of(connection, metric).query("exposed", "row")
    sql = f"select row, value::double as value, divisor::double as divisor from ({values}) order by row"  # noqa: S608
    table: Any = cursor.sql(sql).to_arrow_table()
    return Outcome.of(
        named(metric), integers_of(table["row"]), numbers_of(table["value"]), numbers_of(table["divisor"])
    )


def _observations(
    table: Any, question: Question, segments: list[str], outcomes: list[Outcome], exposed: str
) -> Observations:
    arm = labels_of(table["variant"])
    unit, unit_is, notes = _units(table, question)
    return Observations(
        arm=arm.ordered(question.arms(list(arm.names))),
        unit=unit,
        time_ns=integers_of(table["time_ns"]),
        weight=numbers_of(table["weight"]),
        ids=table["trace_id"].to_pylist(),
        segments={name: labels_of(table[f"s{place}"]) for place, name in enumerate(segments)},
        declared=frozenset(question.segments),
        may_follow=True,
        others={},
        outcomes=outcomes,
        covariates={},
        unit_is=unit_is,
        rows_are="requests",
        sql=[f"select trace_id, variant, context_id, time_ns, status_code, duration_ns from ({exposed}) order by row"],  # noqa: S608
        notes=notes,
    )


def _units(table: Any, question: Question) -> tuple[Labels, str, list[str]]:
    """Whom each exposure is of, what that is called, and what to know about it."""
    contexts, users = (labels_of(table[name]) for name in ("context_id", "unit"))
    covered = {name: float(np.mean(each.codes >= 0)) for name, each in (("context", contexts), ("user", users))}
    if question.unit == "trace":
        chosen, name = None, "trace"
    elif question.unit == _CONTEXT or (question.unit is None and covered["context"] >= _LEAST_COVERED):
        chosen, name = contexts, _CONTEXT
    elif question.unit is not None or covered["user"] >= _LEAST_COVERED:
        chosen, name = users, question.unit or "user.id"
    else:
        chosen, name = None, "trace"
    traces = labels_of(table["trace_id"])
    if chosen is None:
        return traces, name, []
    without = int(np.count_nonzero(chosen.codes == NONE))
    if not without:
        return chosen, name, []
    # Of nobody known: each trace is one of its own.
    note = f"{without:,} of {table.num_rows:,} requests name no {name}; each counts as one of its own"
    return chosen.completed(traces, "trace"), name, [note]


def _others(cursor: duckdb.DuckDBPyConnection, found: Observations, question: Question) -> dict[str, Labels]:
    """The variants of other flags that the same traces got."""
    sql = (
        f"select flag, row, min(flags.variant) as variant from ({_flags(cursor)}) as flags "  # noqa: S608 - quoted
        f"join exposed using (trace_id) where flag <> {literal(question.variant)} group by flag, row order by flag, row"
    )
    table: Any = cursor.sql(sql).to_arrow_table()
    if not table.num_rows:
        return {}
    flag, row, variant = labels_of(table["flag"]), integers_of(table["row"]), labels_of(table["variant"])
    others: dict[str, Labels] = {}
    for place, name in enumerate(flag.names):
        of_flag = flag.codes == place
        codes: Codes = np.full(len(found), -1, np.int64)
        codes[row[of_flag]] = variant.codes[of_flag]
        others[name] = Labels(codes, variant.names)
    return others


def _covariates(
    cursor: duckdb.DuckDBPyConnection,
    connection: duckdb.DuckDBPyConnection,
    question: Question,
    requests: Requests,
    found: Observations,
) -> dict[str, Numbers]:
    """The mean of each metric by unit, in the time before the first exposure."""
    if not question.pre_period_ns or found.unit_is == "trace" or found.time_ns is None:
        return {}
    first = int(found.time_ns[0])
    before = replace(requests, window=Window(first - question.pre_period_ns, first))
    unit = _USER if found.unit_is in {_CONTEXT, "user.id"} else _unit_of(connection, question)
    earlier = query("abtest/earlier").replace("{unit}", unit).replace("{is_request}", before.is_request)
    cursor.execute(f"create temp table earlier as {earlier}")
    return dict(_means(cursor, connection, question, found))


def _means(
    cursor: duckdb.DuckDBPyConnection, connection: duckdb.DuckDBPyConnection, question: Question, found: Observations
) -> Iterator[tuple[str, Numbers]]:
    place = {name: number for number, name in enumerate(found.unit.names)}
    for metric in question.metrics:
        sql = source_of(connection, metric).query("earlier", "unit")
        rows = cursor.execute(f"select unit, sum(value) / sum(divisor) from ({sql}) group by unit").fetchall()  # noqa: S608
        covariate = np.full(len(place), np.nan)
        for unit, mean in rows:
            if unit in place and mean is not None:
                covariate[place[unit]] = mean
        yield metric.measured, covariate
