"""What broke: each fault with how often, since when, where, for whom, of what kind, and what it led to."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import duckdb

from infersight_analysis.extent import extent
from infersight_analysis.failures import history
from infersight_analysis.failures.category import ADVICE, Decision, category_of
from infersight_analysis.failures.failures import Failure
from infersight_analysis.failures.fingerprint import short_type, skeleton_of
from infersight_analysis.failures.groups import HISTORY_NS, Group, Grouped, grouped
from infersight_analysis.failures.history import Change
from infersight_analysis.findings import (
    CommonFrame,
    Consequence,
    ErrorGroup,
    ErrorGroups,
    Evidence,
    Touched,
)
from infersight_analysis.options import Window
from infersight_analysis.reading import query
from infersight_analysis.stored import literals
from infersight_analysis.times import SECOND_NS, iso_time

_EXAMPLES: Final = 5
_FRAMES: Final = 8
_MOST: Final = 5
_COMMON: Final = 0.5
_STEPS: Final = 24
_LOOKED_AT: Final = 200
"""Failures of a fault that its category is told from: they are alike."""


def errors(
    connection: duckdb.DuckDBPyConnection,
    *,
    service: str | None = None,
    window: Window = Window(),  # noqa: B008 - immutable
    since: str | None = None,
    limit: int = 20,
) -> ErrorGroups:
    """Group what failed by fault, the most frequent first.

    Args:
        connection: from `connect`; of a store opened over more than the window, where faults are to be told new.
        service: only failures of this service.
        window: when they happened.
        since: a time (ISO 8601) or a version since which faults are told new or regressed; by default the beginning
            of the window, where it has one.
        limit: most groups to list.

    Raises:
        AnalysisError: `since` is neither a time nor a version that served requests.
    """
    named = since if since is not None else window.start_ns
    moment = None if named is None else history.since(connection, named, window.end_ns)
    found = grouped(connection, window, service, history_from_ns=_history_from(since, window))
    changes: dict[str, Change] = {}
    if moment is not None:
        states = history.changes([group.every for group in found.groups], moment)
        changes = {group.fault.fingerprint: state for group, state in zip(found.groups, states, strict=True)}
    listing = _Listing(connection, found, changes, window)
    roots = [group for group in found.groups if group.began]
    listed = [listing.group(group) for group in roots[:limit]]
    return ErrorGroups(
        errors=listed,
        evidence=_evidence(listed),
        count=_whole(sum(group.count for group in roots)),
        found=len(roots),
        consequences=[listing.group(group) for group in found.groups if not group.began][:limit],
        categories=listing.categories(roots),
        since=moment.about if moment else None,
        start=iso_time(listing.start_ns) if found.groups else None,
        end=iso_time(listing.end_ns) if found.groups else None,
    )


def _history_from(since: str | None, window: Window) -> int | None:
    """From when on to look for earlier failures: a week before the window, everything where a moment was named."""
    if since is not None:
        return -(2**62)
    return None if window.start_ns is None else window.start_ns - HISTORY_NS


class _Listing:
    """Groups as they are listed, with what they share."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, found: Grouped, changes: Mapping[str, Change], window: Window
    ) -> None:
        self._found: Final = found
        self._changes: Final = changes
        every = [failure for group in found.groups for failure in (*group.began, *group.followed)]
        self.start_ns, self.end_ns = extent(connection, window) or (0, 1)
        values = {"from_ns": self.start_ns, "until_ns": self.end_ns, "since_ns": self.start_ns}
        requests: Counter[str | None] = Counter()
        for service, _, _, weight, _ in connection.execute(query("requests_of_services"), values).fetchall():
            requests[service] += weight
        self._requests: Final = requests
        services = {failure.first.service for failure in every}
        self._services: Final = frozenset(name for name in (*requests, *services) if name)
        self._led_to: Final = self._consequences()
        self._decided: Final[dict[str, Decision]] = {}

    def categories(self, groups: Iterable[Group]) -> dict[str, float]:
        """Failures of each category, the most frequent first."""
        counts: Counter[str] = Counter()
        for group in groups:
            counts[self._category(group)[0]] += group.count  # type: ignore[assignment] # weights need not be whole
        return {category: _whole(count) for category, count in counts.most_common()}

    def group(self, group: Group) -> ErrorGroup:
        """One group."""
        members = group.began or group.followed
        first = members[0].first
        stacks = [failure.raised for failure in members if failure.raised]
        longest = max(stacks, key=lambda raised: len(raised.frames), default=None)
        location = longest.root.location if longest else None
        category, reason = self._category(group)
        change = self._changes.get(group.fault.fingerprint)
        traces = dict.fromkeys(failure.first.trace_id for failure in reversed(members) if failure.first.trace_id)
        examples = list(traces)[:_EXAMPLES]
        count = sum(failure.weight for failure in members)
        return ErrorGroup(
            fingerprint=group.fault.fingerprint,
            type=first.type or "error",
            message=first.message,
            template=group.fault.message or skeleton_of(first.message),
            count=_whole(count),
            first_seen=iso_time(group.every[0].first.time_ns),
            last_seen=iso_time(members[-1].first.time_ns),
            services=_distinct(failure.first.service for failure in members),
            versions=_distinct(failure.first.version for failure in members),
            routes=_distinct(map(self._found.surroundings.route, members)),
            location=str(location) if location else None,
            frames=[str(frame) for frame in longest.frames[:_FRAMES]] if longest else [],
            sources=dict(Counter(record.source for failure in members for record in failure.records)),
            examples=examples,
            seen=len(members),
            per_minute=self._per_minute(count),
            share_of_requests=self._share(members, count),
            chain=[short_type(raised.type) or "error" for raised in longest.chain] if longest else [],
            common_frames=_common_frames(members),
            touched=self._touched(members),
            category=category,
            category_reason=reason,
            hypothesis=ADVICE[category].hypothesis,
            actions=list(ADVICE[category].actions),
            state=change.state if change else None,
            state_reason=change.statement if change else None,
            state_p_value=change.p_value if change else None,
            trend=self._trend(members),
            followed=_whole(sum(failure.weight for failure in group.followed)),
            led_to=self._led_to.get(group.fault.fingerprint, []),
            evidence=Evidence(examples, [_records_of(examples)] if examples else [], {"seen": len(members)}),
        )

    def _category(self, group: Group) -> Decision:
        """The category of most of the failures; those that say nothing have no say."""
        fingerprint = group.fault.fingerprint
        if fingerprint not in self._decided:
            members = (group.began or group.followed)[:_LOOKED_AT]
            decisions = Counter(
                category_of(failure, self._found.surroundings.origin(failure), self._services) for failure in members
            )
            known = [decision for decision in decisions.most_common() if decision[0][0] != "unknown"]
            self._decided[fingerprint] = (known or decisions.most_common(1))[0][0]
        return self._decided[fingerprint]

    def _per_minute(self, count: float) -> float | None:
        minutes = (self.end_ns - self.start_ns) / (60 * SECOND_NS)
        return count / minutes if minutes > 1 / 60 else None

    def _share(self, members: Sequence[Failure], count: float) -> float | None:
        """Of the requests of its services; None where they served none."""
        requests = sum(self._requests[service] for service in {failure.first.service for failure in members})
        return min(1.0, count / requests) if requests > 0 else None

    def _touched(self, members: Sequence[Failure]) -> dict[str, Touched]:
        ways: dict[str, Callable[[Failure], str | None]] = {
            "users": self._found.surroundings.user,
            "sessions": self._found.surroundings.session,
            "endpoints": self._found.surroundings.route,
            "versions": lambda failure: failure.first.version,
        }
        return {name: _touched(members, way) for name, way in ways.items()}

    def _trend(self, members: Sequence[Failure]) -> list[float]:
        steps = [0.0] * _STEPS
        length = max(1, self.end_ns - self.start_ns)
        for failure in members:
            steps[min(_STEPS - 1, (failure.first.time_ns - self.start_ns) * _STEPS // length)] += failure.weight
        return [_whole(step) for step in steps]

    def _consequences(self) -> dict[str, list[Consequence]]:
        """What followed, by the fingerprint of what it followed from."""
        faults = self._found.fault_of
        followers: defaultdict[str, dict[str, list[Failure]]] = defaultdict(lambda: defaultdict(list))
        for group in self._found.groups:
            for failure in group.followed:
                begin = faults[id(self._found.causes[id(failure)])].fingerprint
                if begin != group.fault.fingerprint:
                    followers[begin][group.fault.fingerprint].append(failure)
        return {begin: [_consequence(*item) for item in found.items()] for begin, found in followers.items()}


def _consequence(fingerprint: str, members: Sequence[Failure]) -> Consequence:
    count = _whole(sum(failure.weight for failure in members))
    services = _distinct(failure.first.service for failure in members)
    return Consequence(fingerprint, members[0].first.type or "error", services, count)


def _touched(members: Sequence[Failure], way: Callable[[Failure], str | None]) -> Touched:
    weights: defaultdict[str, float] = defaultdict(float)
    for failure in members:
        if (value := way(failure)) is not None:
            weights[value] += failure.weight
    most = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:_MOST]
    return Touched(len(weights), _whole(sum(weights.values())), {value: _whole(weight) for value, weight in most})


def _common_frames(members: Sequence[Failure]) -> list[CommonFrame]:
    """Frames of at least half of the failures that have a stack, each counted once a failure, outermost last."""
    counts: Counter[str] = Counter()
    known = 0
    for failure in members:
        if failure.raised is not None:
            frames = [str(frame) for raised in failure.raised.chain for frame in raised.frames]
            counts.update(dict.fromkeys(frames).keys())
            known += 1
    common = [CommonFrame(frame, count / known) for frame, count in counts.items() if count >= known * _COMMON]
    return sorted(common, key=lambda each: -each.share)


def _distinct(values: Iterable[str | None]) -> list[str]:
    return sorted({value for value in values if value})


def _whole(number: float) -> float:
    """A number, as an integer where it is whole, so that unsampled counts look like counts."""
    return int(number) if number == int(number) else number


def _records_of(traces: Sequence[str]) -> str:
    columns = (
        "trace_id, span_id, time, attributes['exception.type'] as type, attributes['exception.message'] as message"
    )
    where = f"trace_id in ({literals(traces)})"
    return (
        f"select 'span event' as source, {columns} from span_events where name = 'exception' and {where} "  # noqa: S608 - quoted
        f"union all select 'log', trace_id, span_id, time, attributes['exception.type'], "
        f"coalesce(attributes['exception.message'], body) from logs where {where} and severity_number >= 17 "
        "union all select 'span status', trace_id, span_id, end_time, attributes['error.type'], status_message "
        f"from spans where {where} and status_code = 'ERROR' order by time"
    )


def _evidence(groups: Sequence[ErrorGroup]) -> Evidence:
    traces = [group.examples[0] for group in groups if group.examples]
    return Evidence(traces, [_records_of(traces)] if traces else [])
