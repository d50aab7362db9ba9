"""Possible causes of a slow request, each with the numbers for it.

`confidence` is the share of the request's excess over its baseline that the cause explains, times how sure its kind
of evidence is (the constants below). Nothing is claimed of a request that is not slow, and what is only a place, not
a cause, is called unknown.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from infersight_analysis.breakdown import UNATTRIBUTED
from infersight_analysis.findings import BaselineSummary, Evidence, Hypothesis, Piece
from infersight_analysis.investigation.baseline import Baseline
from infersight_analysis.investigation.surroundings import Block
from infersight_analysis.investigation.traits import LARGE, Trait, traits_of
from infersight_analysis.reading import query
from infersight_analysis.stored import literal
from infersight_analysis.times import short_duration
from infersight_analysis.trace import Node

SLOW_PERCENTILE: Final = 90.0
SLOW_SHARE: Final = 0.2
"""A request is slow above this percentile of its baseline, by more than this share of the median."""

LEAST_SHARE: Final = 0.3
"""A cause that explains less of the excess than this is not named."""

COLD_REQUESTS: Final = 3
"""A process is cold for its first requests."""

LAG: Final = "infersight.event_loop.lag"

_SURE: Final = {
    "blocked, with the function that did it": 0.95,
    "blocked, by the measured lag alone": 0.8,
    "large input, others as large are slow too": 0.9,
    "large input": 0.7,
    "slow dependency": 0.8,
    "cold start": 0.7,
    "a stage, cause unknown": 0.4,
}


@dataclass(frozen=True)
class Case:
    """All that the hypotheses look at."""

    connection: duckdb.DuckDBPyConnection
    trace_id: str
    request: Node
    baseline: Baseline
    comparison: BaselineSummary
    pieces: Sequence[Piece]
    blocks: Sequence[Block]

    @property
    def excess_ns(self) -> int:
        """Nanoseconds over the baseline's median; all of the time without a baseline."""
        excess = self.comparison.excess_ns
        return self.request.duration_ns if excess is None else excess

    def share(self, explained_ns: int) -> float:
        """How much of the excess this explains, 0 to 1."""
        return max(0.0, min(1.0, explained_ns / self.excess_ns)) if self.excess_ns > 0 else 0.0

    def hypothesis(
        self, cause: str, explained_ns: int, *, sure: float, statement: str, evidence: Evidence
    ) -> Hypothesis:
        """A cause with its confidence; half of it without a baseline, when nobody knows what is normal."""
        known = 1.0 if self.baseline.is_enough else 0.5
        return Hypothesis(cause, round(self.share(explained_ns) * sure * known, 3), statement, evidence)

    def slowest_span(self, piece: Piece) -> Node | None:
        """The longest span of a piece's operation."""
        spans = (
            node for node in self.request.below() if (node.span.service, node.span.name) == (piece.service, piece.name)
        )
        return max(spans, key=lambda node: node.duration_ns, default=None)


def hypotheses(case: Case) -> list[Hypothesis]:
    """The possible causes, the most likely first; always at least one, be it `unknown`."""
    if case.comparison.percentile is not None and not _is_slow(case.comparison):
        return [_not_slow(case)]
    found = [hypothesis for look in _LOOKS for hypothesis in look(case)]
    return sorted(found, key=lambda hypothesis: -hypothesis.confidence) or [_unexplained(case)]


def _is_slow(comparison: BaselineSummary) -> bool:
    excess, normal, percentile = comparison.excess_ns, comparison.total_ns, comparison.percentile
    if excess is None or normal is None or percentile is None:
        return False
    return percentile >= SLOW_PERCENTILE and excess > SLOW_SHARE * normal


def _blocked_event_loop(case: Case) -> list[Hypothesis]:
    lags = (node.span.attributes.get(LAG) for node in case.request.below())
    lag_ns = round(1e9 * max((lag for lag in lags if isinstance(lag, (int, float))), default=0))
    named = [block for block in case.blocks if block.overlap_ns(case.request)]
    blocked_ns = min(lag_ns, case.request.duration_ns)
    if named:
        blocked_ns = min(blocked_ns or case.request.duration_ns, sum(block.overlap_ns(case.request) for block in named))
    if case.share(blocked_ns) < LEAST_SHARE:
        return []
    sure = _SURE["blocked, with the function that did it" if named else "blocked, by the measured lag alone"]
    statement = f"the event loop was blocked for {short_duration(blocked_ns)} of this request"
    for block in named[:1]:
        whose = "this request itself" if block.trace_id == case.trace_id else f"request {block.trace_id or 'unknown'}"
        statement += f", by {block.function} ({block.place}) of {whose}"
    culprits = [block.trace_id for block in named if block.trace_id]
    process = literal(case.request.span.instance)
    of_process = f"event_name = 'infersight.event_loop.blocked' and service_instance_id = {process}"
    sql = f"select time, body, trace_id from logs where {of_process} order by time"  # noqa: S608 - quoted
    numbers = {
        "lag_ns": lag_ns,
        "blocked_ns": blocked_ns,
        "excess_ns": case.excess_ns,
        "functions": [block.function for block in named],
    }
    evidence = Evidence([case.trace_id, *culprits], [sql], numbers)
    return [case.hypothesis("blocked_event_loop", blocked_ns, sure=sure, statement=statement, evidence=evidence)]


def _slow_piece(case: Case) -> list[Hypothesis]:
    """The piece with the largest excess: a large input or a slow dependency where the evidence says so."""
    piece = max(case.pieces, key=lambda piece: piece.self_ns if piece.excess_ns is None else piece.excess_ns)
    excess = piece.self_ns if piece.excess_ns is None else piece.excess_ns
    if case.share(excess) < LEAST_SHARE:
        return []
    node = case.slowest_span(piece)
    traits = _traits(case, node)
    cause, sure = _cause_of(case, piece, traits)
    statement = "; ".join([_compared(case, piece), *(trait.statement for trait in traits[:2])])
    sql = _trace_sql(case)
    if node is not None:
        sql = f"from spans where trace_id = {literal(case.trace_id)} and name = {literal(piece.name)}"
    numbers = {"self_ns": piece.self_ns, "baseline_ns": piece.baseline_ns, "percentile": piece.percentile}
    evidence = Evidence([case.trace_id], [sql], numbers)
    return [case.hypothesis(cause, excess, sure=sure, statement=statement, evidence=evidence)]


def _traits(case: Case, node: Node | None) -> list[Trait]:
    """What tells the slow span apart, and what tells the request apart."""
    if not case.baseline.is_enough:
        return []
    nodes = [case.request] if node is None or node is case.request else [node, case.request]
    return [trait for at in nodes for trait in traits_of(case.connection, at.span, case.baseline)]


def _cause_of(case: Case, piece: Piece, traits: Sequence[Trait]) -> tuple[str, float]:
    sizes = [trait for trait in traits if trait.is_size]
    if sizes:
        others_too = max(trait.effect for trait in sizes) >= LARGE
        return "large_input", _SURE["large input, others as large are slow too" if others_too else "large input"]
    if piece.kind in ("CLIENT", "PRODUCER") or piece.service != case.request.span.service:
        return "slow_dependency", _SURE["slow dependency"]
    return "unknown", _SURE["a stage, cause unknown"]


def _cold_start(case: Case) -> list[Hypothesis]:
    span = case.request.span
    if span.instance is None or not case.baseline.is_enough:
        return []
    values = {"instance": span.instance, "name": span.name, "kind": span.kind, "start_ns": span.start_ns}
    row = case.connection.execute(query("rank_on_instance"), values).fetchone()
    earlier, later, later_ns = row or (0, 0, None)
    if earlier >= COLD_REQUESTS or later_ns is None or later < COLD_REQUESTS:
        return []
    explained = case.request.duration_ns - later_ns
    if case.share(explained) < LEAST_SHARE:
        return []
    statement = (
        f"request {earlier + 1} of its process ({span.instance}), whose later {later} took "
        f"{short_duration(later_ns)} in the median"
    )
    of_process = f"service_instance_id = {literal(span.instance)} and name = {literal(span.name)}"
    sql = f"select start_time, duration_ns from spans where {of_process} order by start_time limit 20"  # noqa: S608 - quoted
    evidence = Evidence([case.trace_id], [sql], {"earlier": earlier, "later": later, "later_median_ns": later_ns})
    sure = _SURE["cold start"] / (earlier + 1)
    return [case.hypothesis("cold_start", explained, sure=sure, statement=statement, evidence=evidence)]


_LOOKS: Final[tuple[Callable[[Case], list[Hypothesis]], ...]] = (_blocked_event_loop, _slow_piece, _cold_start)


def _compared(case: Case, piece: Piece) -> str:
    spent = short_duration(piece.self_ns)
    elsewhere = f" of {piece.service}" if piece.service != case.request.span.service else ""
    took = f"{piece.name}{elsewhere} took {spent}"
    if piece.name == UNATTRIBUTED:
        took = f"{spent} were on no instrumented stage"
    if piece.baseline_ns is None or piece.excess_ns is None or piece.percentile is None:
        return f"{took}; too few other requests to say what is normal"
    place = "more than in any of them" if piece.percentile == 100 else f"p{piece.percentile:.1f}"
    normal = f"{short_duration(piece.excess_ns)} more than its median of {len(case.baseline.pieces)} requests"
    return f"{took}, {normal} ({place})"


def _not_slow(case: Case) -> Hypothesis:
    statement = f"nothing stands out: the request took as long as others (p{case.comparison.percentile:.0f})"
    return Hypothesis("unknown", 0.0, statement, Evidence([case.trace_id], [_trace_sql(case)]))


def _unexplained(case: Case) -> Hypothesis:
    statement = f"no stage and no lag explains the {short_duration(case.excess_ns)} that it took longer"
    return Hypothesis("unknown", 0.0, statement, Evidence([case.trace_id], [_trace_sql(case)]))


def _trace_sql(case: Case) -> str:
    return f"from spans where trace_id = {literal(case.trace_id)} order by start_time"
