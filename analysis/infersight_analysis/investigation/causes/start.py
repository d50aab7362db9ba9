"""Something ran for the first time: the process, or a function that had to be compiled."""

from typing import Final

from infersight_analysis.findings import Evidence, Hypothesis
from infersight_analysis.investigation.baseline import HOUR_NS
from infersight_analysis.investigation.case import Case
from infersight_analysis.investigation.pieces import WORK
from infersight_analysis.reading import query
from infersight_analysis.stored import literal
from infersight_analysis.times import short_duration

_SURE_COMPILED: Final = 0.96
_SURE_FIRST: Final = 0.88

COLD_CALLS: Final = 3
"""A process is cold for its first calls of an operation."""


def cold_start(case: Case) -> list[Hypothesis]:
    """The first requests of a process, the first calls of what was slow in it, or a compilation."""
    return _compiled(case) or _first(case)


def _compiled(case: Case) -> list[Hypothesis]:
    explained = sum(compilation.duration_ns for compilation in case.compilations)
    if not case.compilations or not case.is_worth_naming(explained):
        return []
    again = [compilation.reason for compilation in case.compilations if compilation.reason]
    statement = f"torch.compile took {short_duration(explained)} of this request"
    if again:
        statement += f", to compile again because of {again[0]}"
    traces = [case.trace_id, *(ride.trace_id for ride in case.batches)]
    known = ", ".join(map(literal, traces))
    of_traces = f"trace_id in ({known}) and name = 'infersight.compilation'"
    sql = f"select time, span_name, attributes from span_events where {of_traces}"  # noqa: S608 - quoted
    numbers = {"compiled_ns": explained, "compilations": len(case.compilations)}
    return [
        case.hypothesis(
            "cold_start",
            explained,
            sure=_SURE_COMPILED,
            statement=statement,
            evidence=Evidence(traces, [sql], numbers),
        )
    ]


def _first(case: Case) -> list[Hypothesis]:
    span = case.request.span
    work = {piece.name for piece in case.pieces_of(WORK)[:2] if piece.kind != "UNATTRIBUTED"}
    if span.instance is None or not case.baseline.is_enough or not case.is_worth_naming(case.excess_in(WORK)):
        return []
    values = {
        "instance": span.instance,
        "names": [span.name, *work],
        "start_ns": span.start_ns,
        "end_ns": span.start_ns + case.request.duration_ns,
        "from_ns": span.start_ns - HOUR_NS,
        "until_ns": span.start_ns + HOUR_NS,
    }
    rows = case.connection.execute(query("rank_on_instance"), values).fetchall()
    warm = [row for row in rows if row[2] >= COLD_CALLS and row[1] < COLD_CALLS and row[3] is not None]
    if not warm:
        return []
    name, earlier, later, later_ns = min(warm, key=lambda row: (row[1], row[0] != span.name))
    excess = case.excess_in(WORK)
    took = max((node.duration_ns for node in case.request.below() if node.span.name == name), default=0)
    explained = min(excess, took - later_ns)
    if not case.is_worth_naming(explained):
        return []
    what = "request" if name == span.name else f"call of {name}"
    statement = (
        f"{what} {earlier + 1} of its process ({span.instance}), whose later {later} took "
        f"{short_duration(later_ns)} in the median"
    )
    of_process = f"service_instance_id = {literal(span.instance)} and name = {literal(name)}"
    sql = f"select start_time, duration_ns from spans where {of_process} order by start_time limit 20"  # noqa: S608 - quoted
    numbers = {"earlier": earlier, "later": later, "later_median_ns": later_ns}
    return [
        case.hypothesis(
            "cold_start",
            explained,
            sure=_SURE_FIRST / (earlier + 1),
            statement=statement,
            evidence=Evidence([case.trace_id], [sql], numbers),
        )
    ]
