"""Findings of `errors`."""

from dataclasses import dataclass, field

from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class Touched:
    """What failures of one fault touched: users, sessions, endpoints, versions.

    Args:
        count: different ones seen; at least so many where requests were sampled away.
        known: failures, as many as they stand for, of which it is known.
        most: the most frequent, with how many failures each had.
    """

    count: int
    known: float
    most: dict[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True)
class CommonFrame:
    """A frame that is in the stacks of at least half of the failures; each failure counts once."""

    frame: str
    share: float


@dataclass(frozen=True)
class Consequence:
    """A fault that followed from another one in the same traces."""

    fingerprint: str
    type: str
    services: list[str]
    count: float


@dataclass(frozen=True)
class ErrorGroup:
    """Errors of one fingerprint.

    `count` is how many failures those that were recorded (`seen`) stand for, however many records each of them left.
    """

    fingerprint: str
    type: str
    message: str
    template: str
    count: float
    first_seen: str
    last_seen: str
    services: list[str]
    versions: list[str]
    routes: list[str]
    location: str | None
    frames: list[str]
    sources: dict[str, int]
    examples: list[str]
    seen: int
    per_minute: float | None
    share_of_requests: float | None
    chain: list[str]
    common_frames: list[CommonFrame]
    touched: dict[str, Touched]
    category: str
    category_reason: str
    hypothesis: str
    actions: list[str]
    state: str | None
    state_reason: str | None
    state_p_value: float | None
    trend: list[float]
    followed: float
    led_to: list[Consequence]
    evidence: Evidence


@dataclass(frozen=True)
class ErrorGroups:
    """What broke, most frequent first.

    Args:
        errors: faults that failures began with.
        evidence: where all of them can be checked.
        count: failures of all faults, those included that are not listed.
        found: faults in all.
        consequences: faults that only ever followed from others, which are in those others' `led_to`.
        categories: failures of each category.
        since: what `state` is about.
        start: when the part of the window that has records begins.
        end: when it ends.
    """

    errors: list[ErrorGroup]
    evidence: Evidence
    count: float
    found: int
    consequences: list[ErrorGroup]
    categories: dict[str, float]
    since: str | None
    start: str | None
    end: str | None
