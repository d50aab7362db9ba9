"""Findings of `rollback execute`."""

from dataclasses import dataclass
from typing import Literal

from infersight_analysis.findings.evidence import Evidence
from infersight_analysis.findings.releases import ReleaseCheck

RollbackOutcome = Literal["planned", "verified", "too little data", "not returned", "failed", "interrupted"]


@dataclass(frozen=True)
class RollbackStep:
    """One thing that was done, or would be.

    Args:
        what: in words.
        command: the program that was run, with its arguments; null where it is no program.
        started: when; null where it was only planned.
        duration_ns: how long it took.
        state: `done`, `failed` or `planned`.
        detail: what came of it.
    """

    what: str
    command: list[str] | None
    started: str | None
    duration_ns: int | None
    state: Literal["done", "failed", "planned"]
    detail: str


@dataclass(frozen=True)
class PreservedEvidence:
    """The copy of what was recorded, made before anything was changed.

    Args:
        path: directory of the copy, a store like any other.
        sha256: digest of its SHA256SUMS, which has that of every file.
        rows: by table.
        pin: what keeps the same rows in the store.
        problems: files that were damaged before they were copied.
        waiting: segments that the collector had not stored yet; what is in them is not in the copy.
    """

    path: str
    sha256: str
    rows: dict[str, int]
    pin: str
    problems: list[str]
    waiting: int


@dataclass(frozen=True)
class RollbackExecution:
    """A rollback, and what came of it.

    Args:
        target: what was rolled back.
        outcome: `verified`; `too little data` to say whether it helped; `not returned`: it was rolled back, and the
            figures are not what they were; `failed`: the rollback itself; `interrupted`; or `planned` only.
        statement: all of it in a line.
        before: what ran before, as the orchestrator says; null where it was not asked.
        after: what ran afterwards.
        override: why it was done although the check does not say so.
        without_evidence: why it was done although nothing could be preserved.
        incident: where it is recorded.
        check: the verdict on the candidate before anything was changed; null where none could be given.
        verification: the baseline's version since the rollback, against itself before.
        still_serving: share of the requests that the candidate served at the end; null where there were none.
    """

    service: str
    baseline: str
    candidate: str
    target: str
    outcome: RollbackOutcome
    statement: str
    before: str | None
    after: str | None
    override: str | None
    without_evidence: str | None
    incident: str | None
    preserved: PreservedEvidence | None
    check: ReleaseCheck | None
    verification: ReleaseCheck | None
    still_serving: float | None
    steps: list[RollbackStep]
    evidence: Evidence
