"""One request with all that is known of it: what the causes look at.

The confidence of a cause is the share of the request's excess that it explains, times how sure its kind of evidence
is (a constant of each cause), times how far out the request is at all, and half of that without a baseline.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import duckdb

from infersight_analysis.findings import (
    BaselineSummary,
    BatchRide,
    Evidence,
    Hypothesis,
    MetricPoint,
    Piece,
    RepeatedCalls,
    WorkerState,
)
from infersight_analysis.investigation.baseline import Baseline
from infersight_analysis.investigation.pieces import CPU_WAIT, FORWARD, Anatomy, nanoseconds
from infersight_analysis.investigation.surroundings import Block, Compilation, compilations_of
from infersight_analysis.investigation.traits import Trait, traits_of
from infersight_analysis.stored import literal
from infersight_analysis.times import short_duration
from infersight_analysis.trace import Node

SLOW_SHARE: Final = 0.2
"""A request is slow by more than this share of the median, ..."""

_ORDINARY: Final = 2.0
_EXTREME: Final = 4.0
"""... and by more than so many robust standard deviations; from the second on it is one beyond doubt."""

_TIMES_SLOW: Final = 1.5
"""So it is from so many times the 95th percentile on, where the others themselves are far apart."""

LEAST_SHARE: Final = 0.25
"""A cause that explains less of the excess than this is not named."""

_LATE: Final = 85.0
_TIMES_MORE: Final = 4.0
"""Above that percentile so is one that took so many medians longer, whatever the spread."""

_RARE: Final = 99.0
_TIMES_OFTEN: Final = 2.0
"""A few in a hundred are always late; of one of those it is beyond doubt only by so many times the median."""

_TRAIT_SPANS: Final = 4

_STARVED: Final = 0.6
_LEAST_STARVED_NS: Final = 300_000_000

BESIDE_STARVATION: Final = 0.7
"""Without a processor the event loop is late and collections take long too: they are less sure to be the cause."""


class Starvation(NamedTuple):
    """That a process had no processor.

    Args:
        waited_ns: how long those of its threads waited of which that is known.
        words: the same for people.
        is_counted: whether the kernel counted the event loop's waits; else only the model's are known.
    """

    waited_ns: int
    words: list[str]
    is_counted: bool


@dataclass(frozen=True)
class Case:
    """A request, what is normal for it, and what was going on around it."""

    connection: duckdb.DuckDBPyConnection
    trace_id: str
    request: Node
    own: Anatomy
    baseline: Baseline
    comparison: BaselineSummary
    pieces: Sequence[Piece]
    accept: Piece | None
    blocks: Sequence[Block]
    metrics: Sequence[MetricPoint]
    batches: Sequence[BatchRide]
    worker: WorkerState
    calls: Sequence[RepeatedCalls]

    @cached_property
    def felt_ns(self) -> int:
        """How long the request took for who sent it: its wait to be accepted included."""
        return self.request.duration_ns + (self.accept.self_ns if self.accept else 0)

    @cached_property
    def excess_ns(self) -> int:
        """Nanoseconds over the baseline's medians; all of the time without a baseline."""
        if self.comparison.excess_ns is None:
            return self.felt_ns
        return self.comparison.excess_ns + max(0, (self.accept.excess_ns or 0) if self.accept else 0)

    @cached_property
    def outlying(self) -> float:
        """How far out the request is: 0 for one like the others, 1 beyond doubt."""
        if self.comparison.total_ns is None:
            return 1.0
        if self.excess_ns <= SLOW_SHARE * self.comparison.total_ns:
            return 0.0
        percentile, more = self.comparison.percentile or 0, self.excess_ns / max(1, self.comparison.total_ns)
        far = (self.baseline.deviation(self.felt_ns) - _ORDINARY) / (_EXTREME - _ORDINARY)
        far = max(far, (self.baseline.times_slow(self.felt_ns) - 1) / (_TIMES_SLOW - 1))
        if percentile >= _LATE:
            far = max(far, (more - 1) / (_TIMES_MORE - 1))
        if percentile < _RARE:
            far = min(far, (more - SLOW_SHARE) / _TIMES_OFTEN)
        return max(0.0, min(1.0, far))

    @cached_property
    def compilations(self) -> list[Compilation]:
        """What torch.compile compiled during the request, or during a batch that it rode in."""
        traces = [self.trace_id, *(ride.trace_id for ride in self.batches)]
        return compilations_of(self.connection, traces, self.request)

    @cached_property
    def cpu_wait_ns(self) -> int:
        """How much longer than normal the event loop's thread waited for a processor, before it was accepted too."""
        during = nanoseconds(self.request.span.attributes.get(CPU_WAIT)) - self.baseline.median_ns(CPU_WAIT)
        before_ns = self.accept.self_ns if self.accept else 0
        inside = sum(block.waited_in_ns(self.request) for block in self.blocks)
        around = sum(block.waited_in_ns(self.request, before_ns) for block in self.blocks)
        return max(0, during) + around - inside

    @cached_property
    def starved(self) -> Starvation | None:
        """Whether the process waited for a processor: its event loop, as the kernel counts it, and the model's thread.

        A computation has hardly anything else to wait for.
        """
        words: list[str] = []
        waited_ns = self.cpu_wait_ns
        if waited_ns:
            words.append(f"its event loop waited {short_duration(waited_ns)} longer than normal for a processor")
        for name, ran, took in (
            *((ride.name, ride.cpu_ns, ride.forward_ns) for ride in self.batches),
            *((piece.name, piece.cpu_ns, piece.self_ns) for piece in self.pieces_of({FORWARD})),
        ):
            if ran is not None and took and ran < _STARVED * took:
                words.append(f"the thread of {name} ran for only {short_duration(ran)} of {short_duration(took)}")
                waited_ns += took - ran
        if waited_ns < min(_LEAST_STARVED_NS, LEAST_SHARE * self.excess_ns):
            return None
        return Starvation(waited_ns, words, is_counted=CPU_WAIT in self.request.span.attributes)

    @property
    def all_pieces(self) -> list[Piece]:
        """The pieces, the wait before the request among them."""
        return [*self.pieces, *([self.accept] if self.accept else [])]

    def pieces_of(self, parts: Collection[str]) -> list[Piece]:
        """The pieces for these parts that took longer than normal, the largest excess first."""
        found = [piece for piece in self.all_pieces if piece.part in parts and excess_of(piece) > 0]
        return sorted(found, key=lambda piece: -excess_of(piece))

    def excess_in(self, parts: Collection[str]) -> int:
        """Nanoseconds more than normal in these parts."""
        return sum(excess_of(piece) for piece in self.pieces_of(parts))

    def share(self, explained_ns: float) -> float:
        """How much of the excess this explains, 0 to 1."""
        return max(0.0, min(1.0, explained_ns / self.excess_ns)) if self.excess_ns > 0 else 0.0

    def is_worth_naming(self, explained_ns: float) -> bool:
        """Whether it explains enough of the excess."""
        return self.share(explained_ns) >= LEAST_SHARE

    def hypothesis(
        self,
        cause: str,
        explained_ns: float,
        *,
        sure: float,
        statement: str,
        evidence: Evidence,
        supporting: Sequence[str] = (),
        opposing: Sequence[str] = (),
    ) -> Hypothesis:
        """A cause with its confidence, and what of the excess it leaves."""
        known = 1.0 if self.baseline.is_enough else 0.5
        share = self.share(explained_ns)
        confidence = round(share * sure * known * self.outlying, 3)
        against = list(opposing)
        if share < 0.9:
            against.append(f"{short_duration(self.excess_ns - explained_ns)} of the excess remain")
        return Hypothesis(cause, confidence, statement, evidence, list(supporting), against)

    def spans_of(self, piece: Piece) -> list[Node]:
        """The spans of a piece's operation, the longest first."""
        operation = (piece.service, piece.name)
        found = [node for node in self.request.below() if (node.span.service, node.span.name) == operation]
        return sorted(found, key=lambda node: -node.duration_ns)

    @cached_property
    def traits(self) -> list[Trait]:
        """What tells the request and its slowest spans apart from others, sizes first."""
        if not self.baseline.is_enough:
            return []
        work = sorted(self.pieces, key=lambda piece: -excess_of(piece))
        nodes = [nodes[0] for piece in work if (nodes := self.spans_of(piece))][:_TRAIT_SPANS]
        return traits_of(self.connection, [self.request.span, *(node.span for node in nodes)], self.baseline)

    def compared(self, piece: Piece) -> str:
        """The piece in the words of a finding: `+412 ms of the 430 ms excess is ..., p99.8 of its history`."""
        whose = f" of {piece.service}" if piece.service != self.request.span.service else ""
        name = "on no instrumented stage" if piece.kind == "UNATTRIBUTED" else f"{described(piece)}{whose}"
        if piece.excess_ns is None or piece.percentile is None:
            spent = f"{short_duration(piece.self_ns)} of {short_duration(self.felt_ns)} is {name}"
            return f"{spent}; too few other requests to say what is normal"
        place = "more than in any of them" if piece.percentile == 100 else f"p{piece.percentile:.1f} of its history"
        return (
            f"+{short_duration(piece.excess_ns)} of the {short_duration(self.excess_ns)} excess is {name} "
            f"({short_duration(piece.self_ns)}, normally {short_duration(piece.baseline_ns or 0)}), {place}"
        )

    def metrics_named(self, *names: str) -> list[MetricPoint]:
        """The series of these metrics in the request's process."""
        return [point for point in self.metrics if point.name in names]

    def trace_sql(self, piece: Piece | None = None) -> str:
        """The query that shows the trace, or a piece of it."""
        named = f" and name = {literal(piece.name)}" if piece is not None and self.spans_of(piece) else ""
        return f"from spans where trace_id = {literal(self.trace_id)}{named} order by start_time"

    def piece_evidence(self, piece: Piece, *traces: str) -> Evidence:
        """Where a piece can be checked."""
        numbers = {
            "self_ns": piece.self_ns,
            "baseline_ns": piece.baseline_ns,
            "excess_ns": piece.excess_ns,
            "percentile": piece.percentile,
        }
        return Evidence([self.trace_id, *traces], [self.trace_sql(piece)], numbers)


def excess_of(piece: Piece) -> int:
    """Nanoseconds of a piece over its normal; all of it where no normal is known."""
    return piece.self_ns if piece.excess_ns is None else piece.excess_ns


def described(piece: Piece) -> str:
    """A piece's name with what it is for."""
    words = {
        "queue": "queue wait in the batch",
        "batched": f"the batch ({piece.name})",
        "thread_pool": "wait for a thread",
        "accept": "wait to be accepted",
    }
    return words.get(piece.part, piece.name)
