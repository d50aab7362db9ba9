"""Action items for other tools: as a table (CSV), and as to-dos of a calendar (iCalendar)."""

import csv
from collections.abc import Iterable
from datetime import UTC, datetime
from io import StringIO
from typing import Final

from infersight_analysis.findings.postmortem import ActionItem, Actions
from infersight_analysis.times import SECOND_NS

_FIELDS: Final = ("incident", "name", "priority", "status", "due", "overdue", "owner", "description", "outcome", "done")
_OCTETS: Final = 75
"""Of a line of a calendar at most."""


def as_csv(found: Actions) -> str:
    """Action items as CSV (RFC 4180), a header first. No cell is a formula to a spreadsheet."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(_FIELDS)
    for item in found.actions:
        values = [getattr(item, name) for name in _FIELDS]
        writer.writerow(["" if value is None else _harmless(str(value)) for value in values])
    return out.getvalue()


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def as_ics(found: Actions, now_ns: int, follow_ups: Iterable[tuple[str, str]] = ()) -> str:
    """Action items as a calendar (RFC 5545): a to-do for each, and an event for each look back.

    Args:
        found: the items.
        now_ns: when it is written, nanoseconds since the epoch.
        follow_ups: incidents and the day on which to look back.
    """
    stamp = datetime.fromtimestamp(now_ns // SECOND_NS, UTC).strftime("%Y%m%dT%H%M%SZ")
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//infersight//postmortem//EN"]
    for item in found.actions:
        lines += _todo(item, stamp)
    for incident_id, due in follow_ups:
        day = due.replace("-", "")
        lines += ["BEGIN:VEVENT", f"UID:{incident_id}-follow-up@infersight", f"DTSTAMP:{stamp}"]
        lines += [f"DTSTART;VALUE=DATE:{day}", f"SUMMARY:{_text(f'Look back at {incident_id}')}", "END:VEVENT"]
    lines.append("END:VCALENDAR")
    return "".join(f"{_folded(line)}\r\n" for line in lines)


_ICS_PRIORITY: Final = {"CRITICAL": 1, "HIGH": 3, "MEDIUM": 5, "LOW": 9}
_ICS_STATUS: Final = {"TODO": "NEEDS-ACTION", "IN_PROGRESS": "IN-PROCESS", "DONE": "COMPLETED"}


def _todo(item: ActionItem, stamp: str) -> list[str]:
    lines = ["BEGIN:VTODO", f"UID:{item.incident}-{item.name}@infersight", f"DTSTAMP:{stamp}"]
    lines.append(f"SUMMARY:{_text(f'{item.incident} {item.name}: {item.description}')}")
    if item.due:
        lines.append(f"DUE;VALUE=DATE:{item.due.replace('-', '')}")
    if item.owner:
        lines.append(f"CONTACT:{_text(item.owner)}")
    if item.outcome:
        lines.append(f"DESCRIPTION:{_text(f'Done when: {item.outcome}')}")
    if item.done:
        lines.append(f"COMPLETED:{item.done[:19].replace('-', '').replace(':', '')}Z")
    return [*lines, f"PRIORITY:{_ICS_PRIORITY[item.priority]}", f"STATUS:{_ICS_STATUS[item.status]}", "END:VTODO"]


def _text(text: str) -> str:
    """A text value (RFC 5545, 3.3.11)."""
    plain = "".join(character for character in text if character == "\n" or character.isprintable())
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> str:
    """A line in pieces of at most 75 octets (RFC 5545, 3.1), whole characters each."""
    pieces: list[str] = []
    piece = ""
    for character in line:
        if len((piece + character).encode()) > _OCTETS:
            pieces.append(piece)
            piece = " "
        piece += character
    return "\r\n".join([*pieces, piece])
