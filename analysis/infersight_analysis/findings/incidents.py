"""Findings of `incident`."""

from dataclasses import dataclass, field
from typing import Any

from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class RecordedStep:
    """A step that was recorded.

    Args:
        incident: its id.
        name: what the step can be called by later, `H1` for a hypothesis; null where it has no name.
        kind: what it is.
        time: when.
        actor: who took it.
        statement: it in a line.
        said: what was recorded.
        stage: how far the incident is now.
        next: the command for what is missing next; null where nothing is.
    """

    incident: str
    name: str | None
    kind: str
    time: str
    actor: str
    statement: str
    said: dict[str, Any]
    stage: str
    next: str | None


@dataclass(frozen=True)
class MethodStep:
    """A step of the method, see `incidents.gates.Step`."""

    name: str
    done: bool
    required: bool
    about: str
    command: str


@dataclass(frozen=True)
class Overridden:
    """A step that was taken although the method refused it: why, by whom, and what was refused."""

    kind: str
    time: str
    actor: str
    why: str
    refused: str


@dataclass(frozen=True)
class IncidentStatus:
    """Where an incident stands.

    Args:
        id: its id.
        title: what is wrong.
        severity: `CRITICAL`, `HIGH`, `MEDIUM` or `LOW`.
        stage: `open`, `evidence`, `reproduced`, `hypothesis`, `cause`, `fixed`, `verified`, `prevented` or `closed`.
        opened: when it was opened.
        closed: when it was closed; null while it is open.
        start: when it happened, as far as is known.
        end: until when.
        steps: those of the method, in their order.
        next: the command for the first step that is missing; null where nothing is.
        overridden: steps that were taken against the method.
        irregular: what is in the log and does not count, a line each.
        problems: what was changed or lost since it was recorded, a line each.
        evidence: the traces that its evidence is about, and the queries in it.
    """

    id: str
    title: str
    severity: str
    stage: str
    opened: str
    closed: str | None
    start: str | None
    end: str | None
    steps: list[MethodStep]
    next: str | None
    overridden: list[Overridden]
    irregular: list[str]
    problems: list[str]
    evidence: Evidence


@dataclass(frozen=True)
class IncidentEvent:
    """Something that was recorded about an incident; `digest` is SHA-256, over the digest of the one before too."""

    sequence: int
    time: str
    actor: str
    kind: str
    statement: str
    said: dict[str, Any]
    digest: str


@dataclass(frozen=True)
class SupposedCause:
    """A hypothesis: what it says, what would refute it, what it explains, and what its tests say together."""

    name: str
    statement: str
    refuted_by: str
    explains: list[str]
    outcome: str
    tests: list[str]


@dataclass(frozen=True)
class IncidentRecord:
    """All that is recorded about an incident.

    Args:
        status: where it stands.
        description: as it was opened.
        symptoms: by name.
        hypotheses: with the outcome of their tests.
        cause: null until it is set.
        events: every event, in their order.
        digest: of the last event: whoever keeps it can tell later whether any was changed.
        evidence: as in the status.
    """

    status: IncidentStatus
    description: str
    symptoms: dict[str, str]
    hypotheses: list[SupposedCause]
    cause: str | None
    events: list[IncidentEvent]
    digest: str
    evidence: Evidence


@dataclass(frozen=True)
class ListedIncident:
    """An incident in a list."""

    id: str
    title: str
    severity: str
    stage: str
    opened: str
    closed: str | None
    missing: list[str]
    next: str | None
    problems: int


@dataclass(frozen=True)
class Incidents:
    """The incidents of a store, the latest first."""

    incidents: list[ListedIncident] = field(default_factory=list[ListedIncident])
