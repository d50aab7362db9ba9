"""What should be otherwise in a post-mortem, and when to look back at an incident."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

from infersight_analysis.findings.postmortem import FollowUp, Remark, Review
from infersight_analysis.incidents import state as kinds
from infersight_analysis.incidents.incident import Incident
from infersight_analysis.incidents.state import State
from infersight_analysis.postmortems.actions import actions
from infersight_analysis.postmortems.blame import remark_on, remarks_on_action
from infersight_analysis.times import SECOND_NS, iso_time

FOLLOW_UP: Final = timedelta(days=30)
"""After it was closed."""


def day_of(time_ns: int) -> date:
    """The day of a time in UTC.

    Args:
        time_ns: nanoseconds since the epoch.
    """
    return datetime.fromtimestamp(time_ns // SECOND_NS, UTC).date()


def follow_up(state: State, now_ns: int) -> FollowUp:
    """When to look back at an incident, and whether somebody did."""
    closed = state.last(kinds.CLOSED) if state.is_closed else None
    if closed is None:
        return FollowUp(None, None, overdue=False)
    due = day_of(closed.time_ns) + FOLLOW_UP
    looked = [event for event in state.of(kinds.NOTE) if event.payload.get("about") == "follow-up"]
    done = next((event for event in looked if event.sequence > closed.sequence), None)
    return FollowUp(
        due=due.isoformat(),
        done=iso_time(done.time_ns) if done else None,
        overdue=done is None and due < day_of(now_ns),
    )


def review(incident: Incident, now_ns: int | None = None) -> Review:
    """What should be otherwise in a post-mortem: words that blame somebody, actions without owner, date or outcome.

    Args:
        incident: which.
        now_ns: when it is looked at, nanoseconds since the epoch; now by default.
    """
    now_ns = time.time_ns() if now_ns is None else now_ns
    state = incident.state
    items = actions(incident.id, state, day_of(now_ns))
    names = {event.actor for event in state.events} | {item.owner for item in items if item.owner}
    remarks = [remark for of, text in _texts(state) if (remark := remark_on(of, text, names))]
    remarks += [remark for item in items for remark in remarks_on_action(item)]
    if not items:
        instead = f'infersight postmortem actions add {incident.id} "..." --owner ... --due ... --outcome ...'
        remarks.append(Remark("action", incident.id, "", "there is no action item: nothing follows from it", instead))
    look_back = follow_up(state, now_ns)
    if look_back.overdue:
        instead = f'infersight incident note {incident.id} "what became of it" --about follow-up'
        remarks.append(Remark("follow-up", incident.id, "", f"the look back was due on {look_back.due}", instead))
    return Review(incident.id, remarks)


def _texts(state: State) -> Iterator[tuple[str, str]]:
    """What people wrote, and where."""
    keys = ("title", "description", "statement", "refuted_by", "text", "how", "outcome")
    for event in state.events:
        name = event.payload.get("name") or f"{event.kind} {event.sequence}"
        if event.kind in {kinds.EVIDENCE, kinds.REPRODUCTION, kinds.TEST, kinds.VERIFICATION}:
            continue  # what was answered, not what somebody says
        for key in keys:
            text = event.payload.get(key)
            if isinstance(text, str) and text:
                yield name, text
