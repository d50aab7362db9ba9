"""The processor `tail_sampling`: keeps or drops whole traces by what is in them.

The collector's log is its memory. Rows wait there, durably, for `decision_wait`, while this processor has seen them and
holds a few numbers a trace. The pipelines of traces, logs and metrics that name one such processor share its decisions,
so a trace's spans, log records, predictions and exemplars are kept or dropped together.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.component import Batch, Surroundings
from infersight_collector.config.values import Duration
from infersight_collector.processors.tail_sampling.decisions import Decisions
from infersight_collector.processors.tail_sampling.policies import Has, Policy, Round, inclusion_of
from infersight_collector.processors.tail_sampling.tally import Tally
from infersight_collector.processors.tail_sampling.traces import Rows, Summaries, Waiting, summarise
from infersight_collector.processors.trace_ids import DEFAULT_SALT, uniform
from infersight_collector.signals import Signal

_WEIGHTED: Final = ("spans", "logs")
_TABLES: Final = (*_WEIGHTED, "exemplars")
"""The tables whose rows belong to traces. Metrics are never sampled."""


@dataclass
class DecisionCache:
    """How long decisions are remembered.

    Attributes:
        size: most decisions, 16 bytes each; at least half as many of the last ones are remembered.
    """

    size: int = 1_000_000

    def __post_init__(self) -> None:
        """Raises ValueError for a size that is none."""
        if self.size < 2:
            raise ValueError("'size' must be at least 2")


@dataclass
class TailSampling:
    """Configuration of `tail_sampling`, and the processor.

    Attributes:
        policies: a trace is kept when one of them keeps it.
        decision_wait: time from the first span of a trace to the decision.
        num_traces: most traces that wait for their decision; beyond that the oldest are decided earlier.
        decision_cache: how long decisions are remembered.
    """

    policies: list[Policy]
    decision_wait: Duration = field(default=Duration(30.0))
    num_traces: int = 200_000
    decision_cache: DecisionCache = field(default_factory=DecisionCache)

    observes = frozenset({Signal.TRACES})

    def __post_init__(self) -> None:
        """Raises ValueError with what to write instead."""
        if not self.policies:
            raise ValueError(
                "'policies' is empty, and nothing would be kept: add one, as {name: all, type: always_sample}"
            )
        if self.num_traces < 1:
            raise ValueError("'num_traces' must be at least 1")
        parts = [part for policy in self.policies for part in policy.parts]
        self._salt = _salt_of(parts)
        self._conditions = [rule.condition for part in parts if isinstance(rule := part.rule, Has)]
        self._waiting = Waiting(len(self._conditions))
        self._decisions = Decisions(self.decision_cache.size)
        self._tally = Tally([policy.name for policy in self.policies])
        self.clock: Callable[[], float] = time.monotonic

    @property
    def lookahead_s(self) -> float:
        """Time between `observe` and `process`, in seconds."""
        return self.decision_wait

    def start(self, surroundings: Surroundings) -> None:
        """Reads the decisions of the last process; raises StoreUnavailable where they cannot be kept."""
        self._decisions.open(surroundings.directory)
        self._tally.start(surroundings, lambda: len(self._waiting))

    def observe(self, batch: Batch) -> None:
        """Takes note of the spans of traces that are not decided."""
        if "spans" not in batch.tables:
            return
        seen = summarise(Rows.of(batch.tables["spans"], self._salt), self._conditions)
        undecided = np.isnan(self._decisions.probabilities(seen.hashes))
        self._tally.late(int(seen.spans[~undecided].sum()))
        self._waiting.add(seen.where(undecided), self.clock())
        surplus = len(self._waiting) - self.num_traces
        if surplus > 0:
            self._tally.early(surplus)
            self._decide(self._waiting.first(surplus))

    def process(self, batch: Batch) -> Batch:
        """The batch without the rows of traces that are dropped, the others with their weights."""
        tables = {name: Rows.of(batch.tables[name], self._salt) for name in _TABLES if name in batch.tables}
        # All that came as early as this batch are decided now, whatever signal is processed first.
        due = dict.fromkeys(self._waiting.since(self.clock() - self.decision_wait))
        for rows in tables.values():
            due |= dict.fromkeys(self._undecided(rows))
        self._decide(due)
        if "spans" in tables:
            self._decide_unseen(tables["spans"])
        return batch.replaced({name: self._sampled(name, rows, batch) for name, rows in tables.items()})

    def settle(self) -> None:
        """Makes the decisions durable; raises StoreUnavailable where that is not possible now."""
        self._decisions.settle()

    def _undecided(self, rows: Rows) -> list[int]:
        undecided: list[int] = rows.hashes[np.isnan(self._decisions.probabilities(rows.hashes))].tolist()
        return undecided

    def _decide(self, traces: Iterable[int]) -> None:
        """Decides about those of the traces that wait, in rounds of those that came together.

        So a rate limit is one of what arrives, however long the delivery was held up.
        """
        for since, together in self._waiting.by_time(traces):
            self._settle_on(self._waiting.take(together), since)

    def _decide_unseen(self, spans: Rows) -> None:
        """Decides by these spans alone about traces that nothing is known of: their decisions are forgotten."""
        undecided = np.isnan(self._decisions.probabilities(spans.hashes))
        if undecided.any():
            seen = summarise(spans, self._conditions).where(undecided)
            self._settle_on(seen, self.clock() - self.decision_wait)

    def _settle_on(self, traces: Summaries, since: float) -> None:
        started = time.perf_counter()
        inclusion = inclusion_of(self.policies, Round(traces, self._conditions, since))
        self._decisions.add(traces.hashes, inclusion.probability)
        is_kept = uniform(traces.hashes) < inclusion.probability
        self._tally.decided(inclusion, is_kept, time.perf_counter() - started)

    def _sampled(self, name: str, rows: Rows, batch: Batch) -> pa.Table:
        """The rows that are kept.

        Those of traces of which no span was seen have no decision, and pass as they are: no policy can tell about
        them, and most are warnings of requests that their sender has not sampled, which stand for themselves.
        """
        probabilities = self._decisions.probabilities(rows.hashes)
        is_kept = ~(uniform(rows.hashes) >= probabilities)
        weights = 1 / np.where(is_kept & (probabilities < 1), probabilities, 1.0)
        if is_kept.all() and (weights == 1).all():
            return batch.tables[name]
        # Rows without a trace, at -1, take the last element.
        kept_rows = np.append(is_kept, True)[rows.trace]
        table = rows.table.filter(pa.array(kept_rows))
        if name in _WEIGHTED:
            column = table.column_names.index("sample_weight")
            factors = pa.array(np.append(weights, 1.0)[rows.trace[kept_rows]])
            table = table.set_column(column, "sample_weight", pc.multiply(table.column(column), factors))
        return table


def _salt_of(parts: Iterable[Policy]) -> str:
    """The one salt of all policies; raises ValueError where they have different ones."""
    salts = {part.probabilistic.hash_salt for part in parts if part.probabilistic} - {None}
    if len(salts) > 1:
        raise ValueError("a trace has one random number for all policies: give each 'hash_salt' the same value, or one")
    return next((salt for salt in salts if salt), DEFAULT_SALT)
