"""Where an incident stands: computed from its events alone, so that what is recorded and what is said are one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from infersight_analysis.incidents.log import Event
from infersight_analysis.results import Json

SYMPTOM: Final = "symptom"
EVIDENCE: Final = "evidence"
REPRODUCTION: Final = "reproduction"
HYPOTHESIS: Final = "hypothesis"
EXPLANATION: Final = "explanation"
TEST: Final = "test"
CAUSE: Final = "cause"
FIX: Final = "fix"
VERIFICATION: Final = "verification"
PREVENTION: Final = "prevention"
POSTMORTEM: Final = "postmortem"
ACTION: Final = "action"
ACTION_CHANGED: Final = "action changed"
NOTE: Final = "note"
CLOSED: Final = "closed"
REOPENED: Final = "reopened"

OVERRIDE: Final = "override"
"""The key of a payload that says why a step was taken although the method refuses it."""

SUPPORTED: Final = "supported"
REFUTED: Final = "refuted"
UNDECIDED: Final = "undecided"
UNTESTED: Final = "untested"

PASSED: Final = "passed"
FAILED: Final = "failed"
NOT_APPLICABLE: Final = "not applicable"

GRAVE: Final = ("CRITICAL", "HIGH")
"""Severities of which a post-mortem and a prevention are due."""


@dataclass(frozen=True)
class Hypothesis:
    """What may have brought the symptoms about.

    Args:
        name: `H1`, ...
        statement: what it says.
        refuted_by: what would refute it.
        explains: the symptoms that it explains.
        outcomes: of its tests, in their order.
    """

    name: str
    statement: str
    refuted_by: str
    explains: frozenset[str]
    outcomes: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """What its tests say together: one refutation refutes it, whatever supported it."""
        for outcome in (REFUTED, SUPPORTED, UNDECIDED):
            if outcome in self.outcomes:
                return outcome
        return UNTESTED


@dataclass(frozen=True)
class State:
    """Where an incident stands.

    Args:
        events: those that count.
        irregular: those that do not, since the method refused them when they were recorded and nobody overrode it, or
            since they make no sense, each with the reason.
    """

    events: tuple[Event, ...] = ()
    irregular: tuple[tuple[Event, str], ...] = ()
    _hypotheses: Mapping[str, Hypothesis] = field(default_factory=dict[str, Hypothesis])

    def of(self, kind: str) -> list[Event]:
        """The events of a kind."""
        return [event for event in self.events if event.kind == kind]

    def last(self, kind: str, *, after: int = -1) -> Event | None:
        """The last event of a kind, None where there is none.

        Args:
            kind: the kind.
            after: only events with a later sequence.
        """
        found = [event for event in self.events if event.kind == kind and event.sequence > after]
        return found[-1] if found else None

    def named(self, kind: str) -> dict[str, Mapping[str, Json]]:
        """The payloads of the events of a kind, by the names that they have."""
        return {event.payload["name"]: event.payload for event in self.of(kind)}

    @property
    def opening(self) -> Mapping[str, Any]:
        """What the incident was opened with: `title`, `severity`, `description`, `start`, `end`."""
        return self.events[0].payload

    @property
    def is_grave(self) -> bool:
        """Whether a post-mortem and a prevention are due."""
        return self.opening["severity"] in GRAVE

    @property
    def is_closed(self) -> bool:
        """Whether it is closed, and was not opened again."""
        closed = self.last(CLOSED)
        return closed is not None and self.reopened_at < closed.sequence

    @property
    def reopened_at(self) -> int:
        """Sequence of the event that opened it again, of the first one where none did."""
        reopened = self.last(REOPENED)
        return reopened.sequence if reopened else 0

    @property
    def hypotheses(self) -> Mapping[str, Hypothesis]:
        """The hypotheses with the outcomes of their tests, by name."""
        return self._hypotheses

    @property
    def reproductions(self) -> list[Event]:
        """Those in which the failure was seen at least once."""
        return [event for event in self.of(REPRODUCTION) if event.payload["reproduced"] > 0]

    @property
    def overrides(self) -> list[Event]:
        """Steps that were taken although the method refused them."""
        return [event for event in self.events if event.payload.get(OVERRIDE)]

    def with_event(self, event: Event) -> "State":
        """The state after one more event that counts."""
        return State((*self.events, event), self.irregular, dict(_hypotheses(self._hypotheses, event)))

    def without(self, event: Event, reason: str) -> "State":
        """The state after one more event that does not count."""
        return State(self.events, (*self.irregular, (event, reason)), self._hypotheses)


def _hypotheses(known: Mapping[str, Hypothesis], event: Event) -> Iterator[tuple[str, Hypothesis]]:
    """The hypotheses after an event."""
    payload = event.payload
    yield from known.items()
    if event.kind == HYPOTHESIS:
        name = payload["name"]
        yield name, Hypothesis(name, payload["statement"], payload["refuted_by"], frozenset(payload["explains"]))
    elif event.kind in {EXPLANATION, TEST}:
        old = known[payload["hypothesis"]]
        explained: Sequence[str] = payload["symptoms"] if event.kind == EXPLANATION else ()
        outcomes = (*old.outcomes, payload["outcome"]) if event.kind == TEST else old.outcomes
        yield (
            old.name,
            Hypothesis(old.name, old.statement, old.refuted_by, old.explains | frozenset(explained), outcomes),
        )


def is_verified(state: State) -> bool:
    """Whether the last fix is proven: verified since, and since the incident was opened again."""
    fix = state.last(FIX)
    found = state.last(VERIFICATION, after=max(fix.sequence if fix else 0, state.reopened_at))
    return found is not None and (bool(found.payload.get(OVERRIDE)) or proves(state, found.payload["checks"]))


def proves(state: State, checks: Sequence[Mapping[str, Json]]) -> bool:
    """Whether checks prove a fix: none failed or was left undecided, and what was reproduced no longer fails.

    Where nothing was reproduced, the telemetry has to be back at its baseline.
    """
    outcomes = {check["name"]: check["outcome"] for check in checks}
    needed = "reproduction" if state.reproductions else "metrics"
    return outcomes.get(needed) == PASSED and set(outcomes.values()) <= {PASSED, NOT_APPLICABLE}
