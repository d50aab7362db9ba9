"""Findings of `profile`."""

from dataclasses import dataclass

from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class ProfileSummary:
    """A profile that is kept.

    `kind` is `cpu`, `memory` or `model`. `total` counts `unit`: `samples` at `rate` a second (of `cpu`), `bytes` at
    the peak, or `us`, microseconds. `note` is what is to be known of it, such as that its process ended meanwhile.
    """

    id: str
    kind: str
    service: str | None
    instance: str | None
    pid: int
    host: str | None
    command: str
    start: str
    end: str
    duration_ns: int
    unit: str
    total: int
    rate: float | None
    note: str | None


@dataclass(frozen=True)
class Profiles:
    """The profiles of a store, the newest first; `damaged` has a line for each that cannot be read."""

    profiles: list[ProfileSummary]
    damaged: list[str]


@dataclass(frozen=True)
class FunctionShare:
    """A function's part of a profile: `own` by itself, `total` with what it called, in the profile's unit."""

    function: str
    own: int
    own_share: float
    total: int
    total_share: float


@dataclass(frozen=True)
class OperatorTime:
    """An operator of a model with one kind of inputs; without `self_` with what it called.

    Memory is what it allocated less what it freed, bytes. `is_transfer` is whether it copies to, from or on a device.
    """

    name: str
    shapes: list[list[int]]
    calls: int
    self_cpu_ns: int
    cpu_ns: int
    self_device_ns: int
    device_ns: int
    self_memory_bytes: int
    self_device_memory_bytes: int
    is_transfer: bool


@dataclass(frozen=True)
class ServedTrace:
    """A trace that the process worked for meanwhile; `within_ns` of the request's time lie in the profile."""

    trace_id: str
    name: str | None
    within_ns: int


@dataclass(frozen=True)
class ShownProfile:
    """A profile: its functions, those first with most by themselves, and the traces of its process.

    `traces` are how many there are, `longest` those that were served longest in it. `operators` are of models only.
    """

    profile: ProfileSummary
    functions: list[FunctionShare]
    operators: list[OperatorTime]
    traces: int
    longest: list[ServedTrace]
    evidence: Evidence


@dataclass(frozen=True)
class FunctionChange:
    """How a function's share of a profile changed, by itself and with what it called.

    Of sampled profiles the own share's difference has a 95 % interval, and `q_value`, the share of false ones among all
    changes that are at least as clear; else these are null.
    """

    function: str
    own_share_before: float
    own_share_after: float
    own_difference: float
    own_low: float | None
    own_high: float | None
    q_value: float | None
    total_share_before: float
    total_share_after: float
    total_difference: float


@dataclass(frozen=True)
class ProfileDifference:
    """Two profiles of a kind, normalised: shares of each one's total; the largest differences first."""

    before: ProfileSummary
    after: ProfileSummary
    functions: list[FunctionChange]
    evidence: Evidence
