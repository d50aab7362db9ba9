"""SQL that shows what a sign is about, for `infersight sql`."""

from infersight_analysis.rootcause.question import Question
from infersight_analysis.rootcause.series import Series
from infersight_analysis.stored import literal


def spans(question: Question, service: str, operation: str | None) -> str:
    """The spans of a service, or of one of its operations, the longest first."""
    named = f" and name = {literal(operation)}" if operation is not None else ""
    where = f"service_name = {literal(service)}{named} and {_during(question, 'start_time_ns')}"
    columns = "trace_id, start_time, name, duration_ns, status_code"
    return f"select {columns} from spans where {where} order by duration_ns desc"  # noqa: S608 - quoted


def doing(question: Question, service: str, kind: str, text: str) -> str:
    """The spans or records in which a service does something, see `doings.KINDS`."""
    if kind in {"log", "error log"}:
        return _records(question, service, kind, text)
    if kind == "exception":
        found = f"attributes['exception.type'] = {literal(text)} and {_during(question, 'time_ns')}"
        columns = "time, trace_id, attributes['exception.message'] as message"
        return f"select {columns} from span_events where {found} order by time"  # noqa: S608 - quoted
    if kind == "call":
        name, _, callee = text.rpartition(" of ")
        return spans(question, callee, name)
    return spans(question, service, text)


def metric(question: Question, series: Series) -> str:
    """The readings of a series in both times."""
    from_ns, until_ns = question.baseline_ns
    times = f"{_during(question, 'time_ns')} or (time_ns >= {from_ns} and time_ns < {until_ns})"
    where = f"name = {literal(series.name)} and service_name = {literal(series.service)} and ({times})"
    return f"select time, value, count, sum, attributes from metrics where {where} order by time"  # noqa: S608


def _records(question: Question, service: str, kind: str, text: str) -> str:
    """Records whose body has the constant parts of a template in their order."""
    template = text[: text.rindex(" (")] if kind == "log" and text.endswith(")") and " (" in text else text
    parts = [part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for part in template.split("<*>")]
    pattern = "%" + "%".join(parts) + "%"
    said = f"body like {literal(pattern)} escape '\\'"
    where = f"service_name = {literal(service)} and {said} and {_during(question, 'time_ns')}"
    return f"select time, trace_id, body from logs where {where} order by time"  # noqa: S608


def _during(question: Question, column: str) -> str:
    return f"{column} >= {question.start_ns} and {column} < {question.end_ns}"
