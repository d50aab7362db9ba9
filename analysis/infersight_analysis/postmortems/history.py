"""How it went: what the telemetry and people did when, and how long it took to notice, to understand and to mend."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from infersight_analysis.findings.postmortem import Elapsed, Impact
from infersight_analysis.findings.triage import TimelineEntry
from infersight_analysis.incidents import state as kinds
from infersight_analysis.incidents.log import Event
from infersight_analysis.incidents.observations import Moment
from infersight_analysis.incidents.overview import statement
from infersight_analysis.incidents.state import State
from infersight_analysis.incidents.triage import entry
from infersight_analysis.times import SECOND_NS, iso_time, long_duration, parse_time

_OF_THE_REPORT: Final = frozenset({kinds.POSTMORTEM, kinds.ACTION, kinds.ACTION_CHANGED})
"""What is done after it, and has chapters of its own."""

_AT_ONCE_NS: Final = 5 * SECOND_NS


def timeline(moments: Iterable[Moment], state: State, impact: Impact | None) -> list[TimelineEntry]:
    """What happened, in its order.

    Args:
        moments: of the telemetry.
        state: what people recorded.
        impact: for the begin and the end of it, by change points.
    """
    entries = [*map(entry, moments), *_of_people(state), *(_of_impact(impact) if impact else ())]
    return sorted(entries, key=lambda each: (each.time, each.actor or "", each.statement))


def _of_people(state: State) -> Iterator[TimelineEntry]:
    """What people recorded; steps of a kind that one of them took at once are one entry."""
    told = [event for event in state.events if event.kind not in _OF_THE_REPORT]
    together: list[Event] = []
    for event in told:
        if together and not _is_at_once(together[-1], event):
            yield _entry(together)
            together = []
        together.append(event)
    if together:
        yield _entry(together)


def _is_at_once(before: Event, event: Event) -> bool:
    same = before.kind == event.kind and before.actor == event.actor
    return same and event.kind != kinds.NOTE and event.time_ns - before.time_ns < _AT_ONCE_NS


def _entry(together: Sequence[Event]) -> TimelineEntry:
    first = together[0]
    if len(together) == 1:
        said = statement(first)
    else:
        said = ", ".join(str(event.payload.get("name", event.sequence)) for event in together)
    text = said if first.kind == kinds.NOTE else ": ".join(part for part in (first.kind, said) if part)
    return TimelineEntry(iso_time(first.time_ns), first.kind, first.actor, text, [])


def _of_impact(impact: Impact) -> Iterator[TimelineEntry]:
    for time, what in ((impact.lasting.began, "rises"), (impact.lasting.ended, "is back")):
        if time:
            reading = "the share of requests that fail" if impact.lasting.by == "error_share" else "p95 of the requests"
            yield TimelineEntry(time, "impact", None, f"{reading} {what}", [])


def elapsed(state: State, impact: Impact | None) -> list[Elapsed]:
    """How long detection, diagnosis and resolution took, by the times at which steps were recorded.

    Detection is from the begin of the incident until it was opened, diagnosis from then until the cause was set,
    resolution from the begin until requests were as before, or until the fix was recorded where that is not known.
    """
    began, how = _begin(state, impact)
    opened = state.events[0]
    cause = state.last(kinds.CAUSE)
    fix = state.last(kinds.FIX)
    ended = impact.lasting.ended if impact else None
    resolved_ns = parse_time(ended) if ended else fix.time_ns if fix else None
    mended = "requests were as before" if ended else "the fix was recorded"
    return [
        _between("detection", began, opened.time_ns, f"from {how} until the incident was opened"),
        _between("diagnosis", opened.time_ns, _time(cause), "from opening the incident until its cause was set"),
        _between("resolution", began, resolved_ns, f"from {how} until {mended}"),
    ]


def _begin(state: State, impact: Impact | None) -> tuple[int | None, str]:
    if impact and impact.lasting.began:
        return parse_time(impact.lasting.began), "the change point"
    start = state.opening.get("start")
    return (parse_time(start), "the begin that was given") if start else (None, "its begin")


def _time(event: Event | None) -> int | None:
    return event.time_ns if event else None


def _between(name: str, start_ns: int | None, end_ns: int | None, about: str) -> Elapsed:
    if start_ns is None or end_ns is None:
        return Elapsed(name, None, f"unknown: {about}")
    if end_ns < start_ns:
        return Elapsed(name, None, f"unknown: {about}, which was recorded before that")
    return Elapsed(name, end_ns - start_ns, f"{long_duration(end_ns - start_ns)} {about}")
