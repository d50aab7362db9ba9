"""Where incidents stand and what is recorded of them, as findings."""

from infersight_analysis.findings.evidence import Evidence
from infersight_analysis.findings.incidents import (
    IncidentEvent,
    IncidentRecord,
    Incidents,
    IncidentStatus,
    ListedIncident,
    MethodStep,
    Overridden,
    RecordedStep,
    SupposedCause,
)
from infersight_analysis.incidents import evidence, gates
from infersight_analysis.incidents import state as kinds
from infersight_analysis.incidents.incident import Incident
from infersight_analysis.incidents.log import OPENED, Event, IncidentLog
from infersight_analysis.incidents.state import OVERRIDE, State
from infersight_analysis.times import iso_time


def next_command(incident_id: str, state: State) -> str | None:
    """The command for the first step that an incident lacks to be closed; None of a closed one."""
    if state.is_closed:
        return None
    missing = next((step.command for step in gates.steps(state) if step.required and not step.done), None)
    return (missing or f"infersight incident close {gates.ID}").replace(f" {gates.ID}", f" {incident_id}")


def recorded(incident: Incident, event: Event) -> RecordedStep:
    """A step as it is told to whoever took it."""
    state = incident.state
    return RecordedStep(
        incident=incident.id,
        name=event.payload.get("name"),
        kind=event.kind,
        time=iso_time(event.time_ns),
        actor=event.actor,
        statement=statement(event),
        said=dict(event.payload),
        stage=gates.stage(state),
        next=next_command(incident.id, state),
    )


def status(incident: Incident) -> IncidentStatus:
    """Where an incident stands."""
    state = incident.state
    opening = state.opening
    closed = state.last(kinds.CLOSED) if state.is_closed else None
    return IncidentStatus(
        id=incident.id,
        title=opening["title"],
        severity=opening["severity"],
        stage=gates.stage(state),
        opened=iso_time(state.events[0].time_ns),
        closed=iso_time(closed.time_ns) if closed else None,
        start=opening.get("start"),
        end=opening.get("end"),
        steps=[
            MethodStep(step.name, step.done, step.required, step.about, step.command.replace(gates.ID, incident.id))
            for step in gates.steps(state)
        ],
        next=next_command(incident.id, state),
        overridden=[_overridden(event) for event in state.overrides],
        irregular=[f"event {event.sequence}, {event.kind}: {reason}" for event, reason in state.irregular],
        problems=[*incident.log.problems(incident.id), *evidence.problems(incident.log.path(incident.id), state)],
        evidence=_evidence(state),
    )


def record(incident: Incident) -> IncidentRecord:
    """All that is recorded about an incident."""
    events = incident.log.read(incident.id)
    state = gates.replay(events)
    found = status(incident)
    cause = state.last(kinds.CAUSE)
    return IncidentRecord(
        status=found,
        description=state.opening["description"],
        symptoms={name: payload["statement"] for name, payload in state.named(kinds.SYMPTOM).items()},
        hypotheses=[_hypothesis(state, name) for name in state.hypotheses],
        cause=cause.payload["statement"] if cause else None,
        events=[
            IncidentEvent(
                event.sequence,
                iso_time(event.time_ns),
                event.actor,
                event.kind,
                statement(event),
                dict(event.payload),
                event.digest,
            )
            for event in events
        ],
        digest=events[-1].digest,
        evidence=found.evidence,
    )


def overview(log: IncidentLog) -> Incidents:
    """The incidents of a store, the latest first."""
    return Incidents([_listed(Incident(log, incident_id, "")) for incident_id in reversed(log.ids())])


def _listed(incident: Incident) -> ListedIncident:
    found = status(incident)
    return ListedIncident(
        id=found.id,
        title=found.title,
        severity=found.severity,
        stage=found.stage,
        opened=found.opened,
        closed=found.closed,
        missing=[] if found.closed else [step.name for step in found.steps if step.required and not step.done],
        next=found.next,
        problems=len(found.problems) + len(found.irregular),
    )


def statement(event: Event) -> str:
    """An event in a line."""
    payload = event.payload
    name = f"{payload['name']}: " if payload.get("name") else ""
    said = {
        OPENED: lambda: f"as {payload['severity']}: {payload['title']}",
        kinds.REPRODUCTION: lambda: f"{payload['statement']}: {payload['about']}",
        kinds.HYPOTHESIS: lambda: f"{payload['statement']} (refuted by: {payload['refuted_by']})",
        kinds.EXPLANATION: lambda: (
            f"{payload['hypothesis']} explains {', '.join(payload['symptoms'])}: {payload['how']}"
        ),
        kinds.TEST: lambda: f"{payload['hypothesis']} {payload['outcome']}: {payload['statement']}",
        kinds.VERIFICATION: lambda: "; ".join(f"{check['name']} {check['outcome']}" for check in payload["checks"]),
        kinds.PREVENTION: lambda: f"{payload['type']}: {payload['description']}",
        kinds.ACTION_CHANGED: lambda: f"{payload['action']} is {payload['status']}",
    }.get(event.kind)
    keys = ("statement", "description", "text", "about", "reason", "what", "title", "file")
    text = said() if said else next((str(payload[key]) for key in keys if payload.get(key)), "")
    against = f" (against the method: {payload[OVERRIDE]})" if payload.get(OVERRIDE) else ""
    return f"{name}{text}{against}"


def _overridden(event: Event) -> Overridden:
    why, refused = event.payload[OVERRIDE], event.payload.get("refused", "")
    return Overridden(event.kind, iso_time(event.time_ns), event.actor, why, refused)


def _hypothesis(state: State, name: str) -> SupposedCause:
    found = state.hypotheses[name]
    tests = [
        f"{event.payload['outcome']}: {event.payload['statement']}"
        for event in state.of(kinds.TEST)
        if event.payload["hypothesis"] == name
    ]
    return SupposedCause(name, found.statement, found.refuted_by, sorted(found.explains), found.outcome, tests)


def _evidence(state: State) -> Evidence:
    kept = [event.payload for event in state.of(kinds.EVIDENCE)]
    traces = dict.fromkeys(trace for payload in kept for trace in payload.get("trace_ids", ()))
    queries = [payload["about"] for payload in kept if payload.get("type") == "sql"]
    return Evidence(list(traces), queries, {"pieces": len(kept)})
