"""The whole process stood still: its event loop was held, or its garbage collector ran, or memory was short."""

from typing import Final

from infersight_analysis.breakdown import UNATTRIBUTED
from infersight_analysis.findings import Evidence, Hypothesis
from infersight_analysis.investigation.case import BESIDE_STARVATION, Case
from infersight_analysis.investigation.pieces import EVENT_LOOP, LAG, WORK, nanoseconds
from infersight_analysis.investigation.surroundings import GC
from infersight_analysis.stored import literal
from infersight_analysis.times import short_duration

_SURE_BY_FUNCTION: Final = 0.95
_SURE_BY_LAG: Final = 0.8
_SURE_COLLECTION: Final = 0.97
_SURE_PAGING: Final = 0.5
_UNUSUAL: Final = 3.5


def blocked_event_loop(case: Case) -> list[Hypothesis]:
    """Synchronous work held the event loop, of this request or of another."""
    before = case.accept.self_ns if case.accept else 0
    lags = (node.span.attributes.get(LAG) for node in case.request.below())
    lag_ns = max(map(nanoseconds, lags), default=0)
    named = [block for block in case.blocks if block.is_by_code and block.overlap_ns(case.request, before)]
    if named:
        blocked_ns = sum(
            block.overlap_ns(case.request, before) - block.waited_in_ns(case.request, before) for block in named
        )
    else:
        usual = case.baseline.median_ns(LAG)
        # Without the event nobody knows when it was; it can only have been where no stage says what it did.
        loose = case.excess_in({EVENT_LOOP, UNATTRIBUTED}) if case.baseline.is_enough else lag_ns
        blocked_ns = min(max(0, lag_ns - usual - case.cpu_wait_ns), loose)
    paused_ns = nanoseconds(case.request.span.attributes.get(GC))
    explained = min(blocked_ns, case.felt_ns) - paused_ns
    if not case.is_worth_naming(explained):
        return []
    statement = f"the event loop was blocked for {short_duration(min(blocked_ns, case.felt_ns))} of this request"
    for block in named[:1]:
        whose = "this request itself" if block.trace_id == case.trace_id else f"request {block.trace_id or 'unknown'}"
        statement += f", by {block.function} ({block.place}) of {whose}"
    process = literal(case.request.span.instance)
    of_process = f"event_name = 'infersight.event_loop.blocked' and service_instance_id = {process}"
    sql = f"select time, body, trace_id from logs where {of_process} order by time"  # noqa: S608 - quoted
    numbers = {
        "lag_ns": lag_ns,
        "blocked_ns": blocked_ns,
        "excess_ns": case.excess_ns,
        "functions": [block.function for block in named],
    }
    opposing = [f"{short_duration(paused_ns)} of it were garbage collections"] if paused_ns else []
    opposing += case.starved.words if case.starved else []
    return [
        case.hypothesis(
            "blocked_event_loop",
            explained,
            sure=(_SURE_BY_FUNCTION if named else _SURE_BY_LAG) * (BESIDE_STARVATION if case.starved else 1),
            statement=statement,
            evidence=Evidence([case.trace_id, *(block.trace_id for block in named if block.trace_id)], [sql], numbers),
            supporting=[f"the longest lag while it was open was {short_duration(lag_ns)}"] if lag_ns else [],
            opposing=opposing,
        )
    ]


def gc_or_memory(case: Case) -> list[Hypothesis]:
    """Garbage collections stopped the process, or its memory was on the disk."""
    paused_ns = nanoseconds(case.request.span.attributes.get(GC))
    usual_ns = case.baseline.median_ns(GC)
    supporting = [
        f"{point.name} {point.value:.3g} {point.unit or ''}, {point.deviation:+.1f} deviations".replace("  ", " ")
        for point in case.metrics_named("infersight.gc.time", "infersight.gc.pause", "process.memory.usage")
        if point.deviation is not None and point.deviation > _UNUSUAL
    ]
    if case.is_worth_naming(paused_ns - usual_ns):
        statement = (
            f"garbage collections stopped the process for {short_duration(paused_ns)} of this request, "
            f"normally {short_duration(usual_ns)}"
        )
        evidence = Evidence([case.trace_id], [case.trace_sql()], {"gc_ns": paused_ns, "baseline_ns": usual_ns})
        return [
            case.hypothesis(
                "gc_or_memory",
                paused_ns - usual_ns,
                sure=_SURE_COLLECTION * (BESIDE_STARVATION if case.starved else 1),
                statement=statement,
                evidence=evidence,
                supporting=supporting,
                opposing=case.starved.words if case.starved else [],
            )
        ]
    return _paging(case, supporting)


def _paging(case: Case, supporting: list[str]) -> list[Hypothesis]:
    faults = [
        point
        for point in case.metrics_named("process.paging.faults")
        if point.attributes.get("system.paging.fault.type") == "major" and point.value > 1
        if point.deviation is None or point.deviation > _UNUSUAL
    ]
    explained = case.excess_in(WORK)
    if not faults or faults[0].median is None or not case.is_worth_naming(explained):
        return []
    statement = f"its process read memory back from the disk, {faults[0].value:.0f} times a second"
    evidence = Evidence([case.trace_id], [case.trace_sql()], {"major_faults": faults[0].value})
    return [
        case.hypothesis(
            "gc_or_memory", explained, sure=_SURE_PAGING, statement=statement, evidence=evidence, supporting=supporting
        )
    ]
