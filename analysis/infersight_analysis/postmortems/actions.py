"""Action items: who does what until when, and how one will see that it is done."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings.postmortem import ActionItem, Actions
from infersight_analysis.incidents import state as kinds
from infersight_analysis.incidents.gates import replay
from infersight_analysis.incidents.incident import Incident
from infersight_analysis.incidents.log import SEVERITIES, Event, IncidentLog
from infersight_analysis.incidents.state import State
from infersight_analysis.times import iso_time


def add(
    incident: Incident,
    description: str,
    *,
    owner: str | None = None,
    due: str | None = None,
    priority: str = "MEDIUM",
    outcome: str | None = None,
) -> Event:
    """Add an action item.

    Args:
        incident: of which incident.
        description: what is to be done.
        owner: who sees to it.
        due: until when, a date in ISO 8601.
        priority: `CRITICAL`, `HIGH`, `MEDIUM` or `LOW`.
        outcome: how one will see that it is done.

    Raises:
        AnalysisError: the date is none.
    """
    payload = {
        "description": description,
        "owner": owner,
        "due": None if due is None else _date(due).isoformat(),
        "priority": priority,
        "outcome": outcome,
    }
    return incident.record(kinds.ACTION, payload)


def change(incident: Incident, name: str, status: str) -> Event:
    """Say how far an action item is: `TODO`, `IN_PROGRESS` or `DONE`."""
    return incident.record(kinds.ACTION_CHANGED, {"action": name.upper(), "status": status})


def actions(incident_id: str, state: State, today: date) -> list[ActionItem]:
    """The action items of an incident, as they stand on a day."""
    changed = {event.payload["action"]: event for event in state.of(kinds.ACTION_CHANGED)}
    items = [
        _item(incident_id, payload, changed.get(name), today) for name, payload in state.named(kinds.ACTION).items()
    ]
    return ordered(items)


def every(log: IncidentLog, today: date) -> Actions:
    """The action items of all incidents of a store."""
    found = [item for incident_id in log.ids() for item in actions(incident_id, replay(log.read(incident_id)), today)]
    return Actions(ordered(found))


def ordered(items: Iterable[ActionItem]) -> list[ActionItem]:
    """Overdue ones first, then by priority and date; what is done comes last."""
    return sorted(
        items,
        key=lambda item: (
            item.status == "DONE",
            not item.overdue,
            SEVERITIES.index(item.priority),
            item.due or "9999",
            item.incident,
            int(item.name[1:]),
        ),
    )


def _item(incident_id: str, payload: Any, changed: Event | None, today: date) -> ActionItem:
    status = changed.payload["status"] if changed else "TODO"
    is_done = status == "DONE"
    due = payload.get("due")
    return ActionItem(
        incident=incident_id,
        name=payload["name"],
        description=payload["description"],
        owner=payload.get("owner"),
        due=due,
        priority=payload.get("priority", "MEDIUM"),
        outcome=payload.get("outcome"),
        status=status,
        done=iso_time(changed.time_ns) if changed and is_done else None,
        overdue=not is_done and due is not None and date.fromisoformat(due) < today,
    )


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise AnalysisError(f"{text!r} is no date: write it as 2026-03-31") from None
