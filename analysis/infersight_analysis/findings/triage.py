"""Findings of `incident triage`."""

from dataclasses import dataclass, field

from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class RankedHypothesis:
    """Something that may have brought an incident about.

    Args:
        statement: what.
        refuted_by: what would show that it did not.
        because: which verb suggests it, and how much speaks for it.
        source: the verb: `rootcause`, `deployments`, `compare` or `errors`.
        evidence: where that can be checked.
        name: of the hypothesis in the incident; empty until it is opened.
    """

    statement: str
    refuted_by: str
    because: str
    source: str
    evidence: Evidence = field(default_factory=lambda: Evidence([], []))
    name: str = ""


@dataclass(frozen=True)
class Noticed:
    """A symptom, with its numbers in the incident and in the baseline, and the interval of their difference (95 %)."""

    statement: str
    incident: float
    baseline: float
    difference: tuple[float, float]
    p_value: float | None
    evidence: Evidence


@dataclass(frozen=True)
class TimelineEntry:
    """Something that happened, and how it is known.

    Args:
        time: when.
        source: `deployment`, `burst`, `change` or `fault` of the telemetry; of people what they recorded.
        actor: who did it; null of the telemetry.
        statement: what.
        trace_ids: traces that show it.
    """

    time: str
    source: str
    actor: str | None
    statement: str
    trace_ids: list[str]


@dataclass(frozen=True)
class LookedAt:
    """A verb that was asked: the command that asks it again, its answer in a line, the evidence it is kept as."""

    command: str
    answer: str
    evidence: str


@dataclass(frozen=True)
class Triage:
    """What a first look at everything says.

    Args:
        id: of the incident that was opened.
        title: its title.
        severity: its severity.
        severity_reason: why that.
        start: when what was looked at begins.
        end: when it ends.
        baseline_start: when the baseline begins.
        baseline_end: when it ends.
        symptoms: what is otherwise than in the baseline, by test.
        timeline: what happened, in its order.
        hypotheses: what may have brought it about, the one to test first in front.
        looked_at: the verbs that were asked.
        notes: what could not be told, and why.
        next: the command to go on with.
        evidence: the traces and queries of all of it.
    """

    id: str
    title: str
    severity: str
    severity_reason: str
    start: str
    end: str
    baseline_start: str
    baseline_end: str
    symptoms: list[Noticed]
    timeline: list[TimelineEntry]
    hypotheses: list[RankedHypothesis]
    looked_at: list[LookedAt]
    notes: list[str]
    next: str | None
    evidence: Evidence
